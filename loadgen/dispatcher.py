"""Which worker runs which Locust users: one ArrivalSource each, or whatever Locust's own dispatcher says."""

from collections.abc import Callable, Iterator

from locust import User
from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode

from loadgen.arrivals import ArrivalSource

Users = dict[str, dict[str, int]]  # worker id -> name of a user class -> how many


class SourceDispatcher(Iterator[Users]):
    """One user of the one ArrivalSource class on every worker that was there at the start.

    A worker that joins later has no share of the arrivals, so it gets none; one that comes back keeps its own.
    """

    def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[type[User]]) -> None:
        self.dispatch_in_progress = False
        self._name = user_classes[0].__name__
        self._shares = frozenset(node.id for node in worker_nodes)
        self._present = [node.id for node in worker_nodes]
        self._rest: list[Users] = []

    def new_dispatch(self, target_user_count: int, *_rate_and_classes: object, **_named: object) -> None:
        """Plan one round: everybody at once, or nobody when no users are wanted."""
        wanted = int(target_user_count > 0)
        self._rest = [{worker: {self._name: wanted if worker in self._shares else 0} for worker in self._present}]

    def __next__(self) -> Users:
        if not self._rest:
            raise StopIteration
        return self._rest.pop()

    def add_worker(self, worker_node: WorkerNode) -> None:
        """A worker joined, or came back."""
        if worker_node.id not in self._present:
            self._present.append(worker_node.id)

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """A worker was lost; nobody takes over its share."""
        self._present = [worker for worker in self._present if worker != worker_node.id]


def dispatcher_for(stopping: Callable[[], bool]) -> Callable[..., Iterator[Users]]:
    """What Environment.dispatcher_class is to be; no user is started any more once `stopping` says so."""

    class StoppingDispatcher(UsersDispatcher):
        """Nobody after the stop, and nobody on a worker that joined during the run: it has no part in it to record."""

        def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[type[User]]) -> None:
            super().__init__(worker_nodes, user_classes)
            self._there = frozenset(node.id for node in worker_nodes)

        def add_worker(self, worker_node: WorkerNode) -> None:
            if worker_node.id in self._there:
                super().add_worker(worker_node)

        def __next__(self) -> Users:
            if stopping():
                raise StopIteration
            return dict(super().__next__())

    def dispatcher(worker_nodes: list[WorkerNode], user_classes: list[type[User]]) -> Iterator[Users]:
        if is_ours(user_classes):
            return SourceDispatcher(worker_nodes, user_classes)
        return StoppingDispatcher(worker_nodes, user_classes)

    return dispatcher


def is_ours(user_classes: list[type[User]]) -> bool:
    """Whether these users are made by arrivals; they are then of one class, as plans.py sees to."""
    return any(issubclass(user_class, ArrivalSource) for user_class in user_classes)
