"""Labelled clips and image folders, and the scores of class maps against them."""

from edge_arseg.evaluation.clip_scores import ClipOptions, scores_from_clip
from edge_arseg.evaluation.image_scores import ImageOptions, scores_from_images
from edge_arseg.evaluation.scores import ModeScores, ScoreConditions, Scores, json_from_scores

__all__ = [
    "ClipOptions",
    "ImageOptions",
    "ModeScores",
    "ScoreConditions",
    "Scores",
    "json_from_scores",
    "scores_from_clip",
    "scores_from_images",
]
