"""Other ways to plan a round, to compare the planner with; benchmark code, never run time.

Each module makes an :class:`~tests.benchmarks.peers.answer.Answer` of the same
:class:`~tests.benchmarks.peers.ground.Ground`: ``greedy`` as a person would do it by hand,
``cpsat`` with the general solver of OR-Tools; ``lp`` gives only a bound, of HiGHS.
"""
