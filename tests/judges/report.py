"""Counting, and the closing line."""

import contextlib
import os
import sys
import time
import traceback


class Report:
    def __init__(self, name):
        self.name = name
        self.passed = self.failed = 0
        self.began = time.time()
        self.only = os.environ.get("ONLY")

    def wants(self, case):
        return not self.only or self.only in case

    def check(self, case, problems):
        """`problems`: a list of sentences, empty if all is well."""
        if problems:
            self.failed += 1
            print(f"FAIL {self.name}: {case}")
            for p in problems[:8]:
                print(f"     {p}")
            sys.stdout.flush()
        else:
            self.passed += 1
            if os.environ.get("VERBOSE"):
                print(f"pass {self.name}: {case}", flush=True)

    def run(self, case, function, *args):
        """A case as a function that returns its problems; whatever it raises is one."""
        if not self.wants(case):
            return
        try:
            problems = function(*args)
        except Exception:
            problems = [traceback.format_exc(limit=-3).strip().replace("\n", " | ")]
        self.check(case, problems or [])

    @contextlib.contextmanager
    def case(self, case):
        """A case as a block: whatever it raises is a problem."""
        try:
            yield
        except Exception:
            self.check(case, [traceback.format_exc(limit=-3).strip().replace("\n", " | ")])
        else:
            self.check(case, [])

    def close(self):
        print(f"{self.name}: {time.time() - self.began:.0f} s")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
