"""The short list for somebody who does not know yet what to pick: a few models, each with the one reason for it.

A model that the router does not list is left out by whoever shows this, so a name here that is gone does no harm.
"""

RECOMMENDED = {
    "meta-llama/Llama-3.1-8B-Instruct": "Quick and cheap: a good one to begin with.",
    "openai/gpt-oss-120b": "Reasons well and is good with tools.",
    "deepseek-ai/DeepSeek-R1": "Shows its thoughts before it answers.",
    "google/gemma-3-27b-it": "Writes well in many languages.",
}
