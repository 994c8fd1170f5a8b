"""Graves' transducer: its loss in three forms, each fast and in little memory; the model; greedy and beam decoding.

A transducer (Graves 2012, *Sequence Transduction with Recurrent Neural Networks*, arXiv:1211.3711) reads T inputs and
writes U labels along a path through a lattice: at the node (t, u), where t inputs are done with and u labels written,
it either writes label u + 1 and stays at input t, or writes a blank and goes on to input t + 1. The loss is minus the
logarithm of the summed probability of all paths that write the target.

Shapes: B sequences, T inputs, U labels, V symbols with the blank, H width of the joint layer, K beams.

What the losses share: the lattice is swept along its anti-diagonals, whose nodes do not depend on one another, and
always in float64, since float32 loses two digits of the gradient or more at T = 400. The backward sweep needs no
logarithm: the share of a node's probability that came in by each of its arcs is known from the forward sweep, so that
the expected number of times that an arc is taken (its occupancy) flows back by products and sums. The gradient in every
score then follows: the occupancy of its node times its probability there, less the occupancy of its own arc.
"""

from tendays.transducer.additive import additive_transducer_loss
from tendays.transducer.joint import joint_transducer_loss
from tendays.transducer.logits import transducer_loss
from tendays.transducer.model import BLANK, Encoder, Size, State, Transducer
from tendays.transducer.search import Hypothesis, beam_search, greedy
from tendays.transducer.tiles import PIECE

__all__ = [
    "BLANK",
    "PIECE",
    "Encoder",
    "Hypothesis",
    "Size",
    "State",
    "Transducer",
    "additive_transducer_loss",
    "beam_search",
    "greedy",
    "joint_transducer_loss",
    "transducer_loss",
]
