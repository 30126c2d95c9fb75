"""Between a client that asks a policy's server for actions and that server: what is answered is judged, and at rest
within the rows that the client plays.
"""
