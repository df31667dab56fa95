"""What can be asked: endpoints, language models, and the offers that bind one to the other."""
