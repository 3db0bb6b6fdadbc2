"""Drives Debian's python3-consul through a service's whole life; each thing it saw is a line of JSON."""
import json
import sys

import consul

host, port, token = sys.argv[1:4]


def say(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


say("version", version=consul.__version__)
client = consul.Consul(host=host, port=int(port), token=token)
say("registered", ok=client.agent.service.register(
    "orders", service_id="orders-1", address="10.0.0.1", port=8080, tags=["v1", "blue"], check=consul.Check.ttl("30s")))
index, found = client.health.service("orders", passing=True)
say("critical", index=index, passing=len(found))
# The agent's own calls carry no token in this client, so it comes along as the header does.
client.http.session.headers["X-Consul-Token"] = token
say("passed", ok=client.agent.check.ttl_pass("service:orders-1", notes="well"))
later, found = client.health.service("orders", index=index, wait="10s", passing=True)
say("passing", index=later, before=index, service=found[0]["Service"],
    checks=[check["CheckID"] for check in found[0]["Checks"]])
say("catalog", services=client.catalog.services()[1],
    datacenters=client.catalog.datacenters(), machines=[node["Node"] for node in client.catalog.nodes()[1]],
    tagged=len(client.catalog.service("orders", tag="blue")[1]),
    untagged=len(client.catalog.service("orders", tag="no")[1]))
say("agent", services=client.agent.services(), checks={k: v["Status"] for k, v in client.agent.checks().items()},
    datacenter=client.agent.self()["Config"]["Datacenter"], members=[m["Name"] for m in client.agent.members()])
say("status", leader=client.status.leader(), peers=client.status.peers())
say("maintained", ok=client.agent.service.maintenance("orders-1", True, "a new disk"),
    passing=len(client.health.service("orders", passing=True)[1]),
    critical=[c["Notes"] for c in client.health.state("critical")[1]])
client.agent.service.maintenance("orders-1", False)
say("failed", ok=client.agent.check.ttl_fail("service:orders-1"),
    states=[check["Status"] for check in client.health.checks("orders")[1]])
try:
    client.agent.check.ttl_pass("service:nobody")
    say("unknown", error=None)
except consul.base.ConsulException as fault:
    say("unknown", error=type(fault).__name__)
except Exception as fault:
    say("unknown", error=str(fault))
try:
    client.catalog.service("orders", dc="dc2")
except consul.base.BadRequest as fault:
    say("elsewhere", error=str(fault))
say("placed", ok=client.catalog.register("printer", "10.0.0.9", service={"service": "print", "id": "p1", "port": 631}),
    on=client.catalog.node("printer")[1]["Services"]["p1"]["Port"])
say("displaced", ok=client.catalog.deregister("printer", service_id="p1"), left=client.catalog.service("print")[1])
say("deregistered", ok=client.agent.service.deregister("orders-1"), left=client.health.service("orders")[1])
