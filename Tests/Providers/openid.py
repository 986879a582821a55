"""oidc-provider-mock: a provider that speaks OpenID Connect, with one user, who has signed in. It makes a new key at each start.

Its argument is the port, 0 for a free one. Prints what a gateway needs to know, then serves on.
"""

import base64
import json
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request

from oidc_provider_mock import User, run_server_in_thread


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def post(url, fields, headers={}):
    request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), headers)
    try:
        return urllib.request.build_opener(StayHere).open(request, timeout=20)
    except urllib.error.HTTPError as answer:
        return answer


with run_server_in_thread(port=int(sys.argv[1]), user_claims=(User(sub="usr_ana", claims={"tenant_id": "comp_north"}),)) as server:
    issuer = f"http://localhost:{server.server_port}"
    back = "http://localhost/back"
    query = urllib.parse.urlencode(
        {"client_id": "web", "redirect_uri": back, "response_type": "code", "scope": "openid", "state": "s", "nonce": "n"}
    )
    sent_back = post(f"{issuer}/oauth2/authorize?{query}", {"sub": "usr_ana"}).headers["Location"]
    code = urllib.parse.parse_qs(urllib.parse.urlparse(sent_back).query)["code"][0]
    basic = base64.b64encode(b"web:secret").decode()
    answer = post(
        f"{issuer}/oauth2/token",
        {"grant_type": "authorization_code", "code": code, "redirect_uri": back},
        {"Authorization": f"Basic {basic}"},
    )
    token = json.load(answer)["id_token"]
    with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=20) as metadata:
        named = json.load(metadata)["issuer"]
    print(json.dumps({"issuer": named, "audience": "web", "port": server.server_port, "token": token}), flush=True)
    signal.pause()
