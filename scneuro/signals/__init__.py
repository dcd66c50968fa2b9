"""What goes into a neuron and what comes out: stimuli, spike trains, firing patterns."""
