"""Everything that a playground keeps in one encrypted file, which either database can be made of.

``sealing`` encrypts, ``contents`` is what stands in the file, ``database`` reads and fills tables, ``passphrase`` asks;
``actions`` backs up and restores. ``manage.py backup`` and ``manage.py restore`` call them.
"""
