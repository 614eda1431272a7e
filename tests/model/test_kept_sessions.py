from pathlib import Path

from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.model.session import keep_sessions, open_session


def test_an_equal_request_gets_the_session_again_while_sessions_are_kept(tiny_bert: Path) -> None:
    request, equal = (SessionRequest(str(tiny_bert), embedding=EmbeddingRequest()) for _ in range(2))
    with keep_sessions():
        session = open_session(request)
        assert open_session(equal) is session
        assert open_session(SessionRequest(str(tiny_bert))) is not session
    assert open_session(equal) is not session
