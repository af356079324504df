"""Sentences as vectors: the only part of the server that needs torch."""

from sentence_transformers import SentenceTransformer, util


class Embeddings:
    """Compares sentences by their meaning."""

    def __init__(self, model: str) -> None:
        self._model = SentenceTransformer(model, device="cpu")

    def nearest(self, question: str, answers: list[str]) -> str:
        """Return the answer whose meaning is nearest to the question."""
        scores = util.cos_sim(self._model.encode(question), self._model.encode(answers))[0]
        return answers[int(scores.argmax())]
