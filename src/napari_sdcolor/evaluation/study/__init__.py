"""A user study as in the paper: people score pictures without their names.

``page`` makes a page for a browser and the key to it, ``scores`` turns the
answers into the paper's Table 1.
"""

CRITERIA = {
    'semantic_correctness': 'Semantic Correctness',
    'saturability': 'Saturability',
    'edges_keeping': 'Edges Keeping',
}
"""What is scored from 0 to 100 (paper, section 4.2), by column of the CSV."""
