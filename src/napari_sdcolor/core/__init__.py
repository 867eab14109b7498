"""Arrays and networks: from gray values and a label map to colors."""

import os

# PyTorch looks at it once, when it is loaded: what Apple's GPUs cannot do is
# done by the CPU instead of failing.
os.environ.setdefault('PYTORCH_ENABLE_MPS_FALLBACK', '1')
