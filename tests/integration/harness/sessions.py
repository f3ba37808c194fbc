"""Open transactions of a PostgreSQL server: a psql that is told what to do, line by line."""

import subprocess


class Transaction:
    """with Transaction(database) as late: late.run("INSERT …"); late.commit()"""

    def __init__(self, database):
        self.process = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database.url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.run("BEGIN;")

    def run(self, sql):
        """Comes back when it is done."""
        self.process.stdin.write(f"{sql.rstrip(';')};\n\\echo done\n")
        self.process.stdin.flush()
        while (line := self.process.stdout.readline()) != "done\n":
            assert line, "psql has ended"

    def commit(self):
        self.run("COMMIT")
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(30)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
