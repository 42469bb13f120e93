# The tour that make run shows.
cd "$GEN_ROOT" && "$GEN" scripts/examples/tour.gen
