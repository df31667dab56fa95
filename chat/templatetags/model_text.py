"""Lets a template insert the HTML of an answer that ``chat.markdown`` made and the database kept."""

from django import template

from chat.markdown.stored import stored

register = template.Library()
register.filter("stored", stored)
