"""The list of models as people search it: in the model picker and on the page of models."""
