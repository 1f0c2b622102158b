"""The mesh under load: latency and throughput of the Verilated routers, without cores."""
