"""Puts a garment on a person: pose by mediapipe, cut-out by rembg, search by chromadb."""

import chromadb
import cv2
import mediapipe as mp
import numpy as np
import torch
from rembg import new_session, remove

pose = mp.solutions.pose.Pose(static_image_mode=True)
cutter = new_session("u2net", providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
garments = chromadb.Client().get_or_create_collection("garments")


def person(path: str) -> tuple[np.ndarray, object]:
    """Return a picture without its background, and the pose in it."""
    picture = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return remove(picture, session=cutter), pose.process(picture).pose_landmarks


def nearest(embedding: torch.Tensor) -> list[str]:
    """Return the garments nearest to an embedding."""
    return garments.query(query_embeddings=[embedding.tolist()], n_results=5)["ids"][0]
