using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry.Probing;

/// <summary>A server as the instance that it is registered as.</summary>
internal static class ProbedInstance
{
    public static InstanceDocument Document(this StatusServer server, string id) =>
        new("orders", "127.0.0.1", server.Port, Id: id, Ephemeral: false);

    public static Instance Instance(this StatusServer server) =>
        new(LeasedRegistry.Key("x"), "127.0.0.1", server.Port);
}
