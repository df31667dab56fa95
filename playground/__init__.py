"""The Django project: settings, URLs and the ASGI application.

It owns how the process is put together and nothing of what the product does; everything else lives in ``chat``.
"""
