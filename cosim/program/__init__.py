"""What a chip is loaded with, sent, and answers: core images, programs, stimulus and response.

Golden model and RTL both read it, and share nothing else but `hw.spec`. Knows no network.
"""
