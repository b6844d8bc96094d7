"""`mlestar demo`: the whole product on real data, through a real client and a real server."""
