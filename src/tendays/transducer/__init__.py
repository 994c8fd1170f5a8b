"""Graves' transducer: its loss in three forms, each fast and in little memory; the model; greedy and beam search.

A transducer (Graves 2012, *Sequence Transduction with Recurrent Neural Networks*, arXiv:1211.3711) reads T inputs and
writes U labels along a path through a lattice. At the node (t, u), where t inputs are read and u labels written, it
either writes label u + 1 and stays at input t, or emits a blank and goes on to input t + 1. The loss is minus the
logarithm of the summed probability of all paths that write the target.

Shapes: B sequences, T inputs, U labels, V symbols with the blank, H hidden size of the joint.

All forms of the loss find the scores of the lattice's arcs, take the log-likelihoods and the occupancies from `lattice`
(the recursion and the gradient are there), and turn the occupancies into the gradient in their own scores.
"""

from tendays.transducer.additive import additive_transducer_loss
from tendays.transducer.joint import joint_transducer_loss
from tendays.transducer.logits import transducer_loss
from tendays.transducer.model import BLANK, Encoder, Size, State, Transducer
from tendays.transducer.search import Hypothesis, beam_search, greedy
from tendays.transducer.tiles import tile_elements

__all__ = [
    "BLANK",
    "Encoder",
    "Hypothesis",
    "Size",
    "State",
    "Transducer",
    "additive_transducer_loss",
    "beam_search",
    "greedy",
    "joint_transducer_loss",
    "tile_elements",
    "transducer_loss",
]
