"""What is to be reckoned: how many tokens go in and come out, and in requests of which size."""

import msgspec

FREE = "costs nothing"
"""What is said of offers without a price to rank by: free variants and free models, whose rate is
limited by whoever gives them away."""


class Workload(msgspec.Struct, frozen=True):
    """Tokens of a month, of a run, of whatever the cost is wanted of.

    Attributes:
        input: Tokens of all prompts, those read from and written to the cache included.
        output: Tokens of all answers, reasoning included (OpenRouter and the vendors bill it so).
        cached: Tokens of the prompts that are read from the cache.
        written: Tokens of the prompts that are written to the cache.
        requests: How many requests, None if not known.
        request_size: Tokens of the prompt of one request, None if not known.

    Raises:
        ValueError: There is nothing to reckon, or parts are more than the whole.
    """

    input: int
    output: int
    cached: int = 0
    written: int = 0
    requests: int | None = None
    request_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no workload."""
        if min(self.input, self.output, self.cached, self.written) < 0:
            raise ValueError("a number of tokens cannot be below 0")
        if self.input + self.output == 0:
            raise ValueError("a workload of no tokens costs nothing: give --input and --output")
        if self.cached + self.written > self.input:
            raise ValueError(
                f"{self.cached:,} tokens read from the cache and {self.written:,} written to it "
                f"are more than the {self.input:,} tokens of input they are part of"
            )
        if self.requests == 0 or self.request_size == 0:
            raise ValueError("a number of requests and the size of one must be above 0")

    @property
    def fresh(self) -> int:
        """Tokens of the prompts that are neither read from the cache nor written to it."""
        return self.input - self.cached - self.written

    @property
    def size(self) -> int | None:
        """Tokens of the prompt of one request: as stated, or the mean; None if not known."""
        if self.request_size is not None or self.requests is None:
            return self.request_size
        return -(-self.input // self.requests)

    @property
    def count(self) -> int | None:
        """How many requests: as stated, or as many as their size makes; None if not known."""
        if self.requests is not None or self.request_size is None:
            return self.requests
        return max(1, -(-self.input // self.request_size))
