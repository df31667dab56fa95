"""The call as code: what a chat asks of a model, as the programs that people would write for it.

``literals`` writes values in each language, ``clients`` says which programs there are and what each needs to know,
``builder`` fills their texts (``templates/chat/snippets/code/*.txt``) from the very request that the wire would get.
"""
