"""A simulation of an AWS account: arrivals, Lambda, API Gateway, queues and their cost."""
