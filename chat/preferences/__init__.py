"""The settings page: what a person's new chats start with, and how the pages look and behave for them."""
