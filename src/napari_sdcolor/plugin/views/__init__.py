"""Views show state and emit ``…_requested`` signals; they decide nothing."""
