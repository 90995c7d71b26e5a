"""The papers' questions as studies: a run is a recipe plus named edits of its
NetParameter and SolverParameter, a study a grid of runs over seeds.

ablate.py is the command. A study is one module in ablations/studies.
"""
