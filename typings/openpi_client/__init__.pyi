# openpi-client 0.1.2: what the tests' client uses; it is installed in an environment of its own.
