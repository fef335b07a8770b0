"""What every contender is asked."""

from ..processes import Process


class Contender:
    """One of those who are compared.

    name     as the tables have it
    note     what must be known to read its figures fairly
    version  what was measured, once `get` has answered
    """

    name = ""
    note = ""
    version = "?"
    # A command that the contender is started under, strace say.
    under = ()

    def __init__(self, place):
        self.place = place

    def launch(self, command, folder, environment=None):
        """Its process, with a log in `folder`."""
        words = [str(word) for word in (*self.under, *command)]
        return Process(words, folder / "log", environment)

    def get(self):
        """Makes it available and finds its version; raises `Missing` where it can't be had."""

    def fire(self, folder, count, period, file):
        """Starts it with `count` jobs that stamp `file` at every whole multiple of `period` seconds, and answers its process
        when it is ready for them."""
        raise NotImplementedError

    def instants(self, folder, period, first, rounds):
        """The instants at which it had to fire, in seconds since the epoch."""
        return [first + n * period for n in range(rounds)]

    def stand(self, folder, count):
        """Starts it with `count` jobs that fire once a day, not now. Answers its process and how many seconds it took until
        it was ready, by kind of start."""
        raise NotImplementedError


def daily(count, now):
    """So many (minute, hour), spread over a day, none within the two hours from `now` (a struct_time) on."""
    begin = (now.tm_hour + 2) * 60 + now.tm_min
    minutes = [(begin + n % (20 * 60)) % (24 * 60) for n in range(count)]
    return [(minute % 60, minute // 60) for minute in minutes]
