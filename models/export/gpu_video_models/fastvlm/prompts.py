"""What the pack asks the language model. The labels and their meanings are this product's; edit the manifest to change them."""

TEMPLATE = (
    "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n<image>\n{question}<|im_end|>\n<|im_start|>assistant\n"
)
SYSTEM = "You are a helpful assistant."

ACTIONS = {
    "sitting": "on a seat or on the floor",
    "falling": "losing balance or going down",
    "grabbing": "reaching for a thing or holding it",
    "paying": "handing over money or a card at a counter",
    "standing": "upright without moving",
    "walking": "moving on foot",
    "none": "nothing of the above",
}


def action_question():
    options = ", ".join(f"{label} ({meaning})" for label, meaning in ACTIONS.items())
    return f"Which action is the person in this picture doing? Answer with one of these seven words: {options}."


SCENE_QUESTION = "Describe what happens in this picture in one sentence."


def action_entry():
    return {"mode": "score", "question": action_question(), "labels": list(ACTIONS), "maxNewTokens": 16}


def scene_entry():
    return {"question": SCENE_QUESTION, "maxNewTokens": 48}
