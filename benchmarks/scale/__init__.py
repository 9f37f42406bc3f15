"""The account on paper that computes: arrivals, Lambda, API Gateway, queues and what they cost."""
