"""Amazon Cognito as moto plays it: one user pool with one user, who has signed in. Prints what a gateway needs to know, then serves on."""

import json
import os
import signal

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://127.0.0.1:{port}"
cognito = boto3.client("cognito-idp", endpoint_url=address)
pool = cognito.create_user_pool(
    PoolName="people", Schema=[{"Name": "tenant_id", "AttributeDataType": "String", "Mutable": True}]
)["UserPool"]["Id"]
client = cognito.create_user_pool_client(
    UserPoolId=pool, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
)["UserPoolClient"]["ClientId"]
cognito.admin_create_user(
    UserPoolId=pool, Username="ana", UserAttributes=[{"Name": "custom:tenant_id", "Value": "comp_north"}]
)
cognito.admin_set_user_password(UserPoolId=pool, Username="ana", Password="Correct-horse-7", Permanent=True)
signed_in = cognito.initiate_auth(
    ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ana", "PASSWORD": "Correct-horse-7"}
)["AuthenticationResult"]
print(
    json.dumps(
        {
            "issuer": f"https://cognito-idp.us-east-1.amazonaws.com/{pool}",
            "audience": client,
            "jwks_url": f"{address}/{pool}/.well-known/jwks.json",
            "token": signed_in["IdToken"],
        }
    ),
    flush=True,
)
signal.pause()
