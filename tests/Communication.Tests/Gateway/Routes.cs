using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Resources;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>Makes routes, the resources they come from, and requests for them.</summary>
internal static class Routes
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero); // A Friday.

    public static Resource Resource(string name, RouteSpec spec, long revision = 1) =>
        Resource(name, JsonSerializer.SerializeToUtf8Bytes(spec, RouteKind.Kind.SpecTypeInfo), 2, revision);

    public static Resource Resource(string name, byte[] spec, int version, long revision = 1) => new()
    {
        Key = new ResourceKey(RouteKind.Name, "default", name),
        Version = version,
        Labels = ImmutableSortedDictionary<string, string>.Empty,
        Spec = spec,
        SpecHash = default,
        Revision = revision,
        ChangedBy = "system:test",
        ChangedAt = DateTimeOffset.UnixEpoch,
        Kind = RouteKind.Kind,
    };

    public static Route Make(
        string name, string path, IReadOnlyList<string> hosts, IReadOnlyList<string>? methods = null) =>
        Make(name, new RouteSpec(new MatchSpec(hosts, path, methods), "service"));

    public static Route Make(string name, RouteSpec spec)
    {
        Assert.True(Route.TryCompile(Resource(name, spec), StepCompiler.Empty, out var route, out var reason), reason);
        return route;
    }

    /// <summary>A request of 127.0.0.1 on a Friday noon.</summary>
    public static RequestView Request(
        string method, string? host, string path, string query = "", HeldFields? fields = null,
        string? client = null) =>
        new()
        {
            Host = Host(host),
            Path = Encoding.ASCII.GetBytes(path),
            Method = Encoding.ASCII.GetBytes(method),
            Query = Encoding.ASCII.GetBytes(query),
            Fields = fields ?? new HeldFields(),
            Client = IPAddress.Parse(client ?? "127.0.0.1"),
            Time = Noon,
        };

    private static byte[] Host(string? host)
    {
        var output = new byte[HostForm.MaxLength];
        var length = HostForm.Normalize(Encoding.Latin1.GetBytes(host ?? ""), output);
        return length < 0 ? [] : output[..length];
    }
}

/// <summary>Header fields that a test sets.</summary>
internal sealed class HeldFields : IRequestFields
{
    private readonly List<(byte[] Name, byte[] Value)> fields = [];

    public HeldFields With(string name, string value)
    {
        fields.Add((Encoding.ASCII.GetBytes(name.ToLowerInvariant()), Encoding.UTF8.GetBytes(value)));
        return this;
    }

    public bool TryGetNext(scoped ReadOnlySpan<byte> name, scoped ref int from, out ReadOnlySpan<byte> value)
    {
        for (; from < fields.Count; from++)
        {
            if (!name.SequenceEqual(fields[from].Name)) continue;
            value = fields[from++].Value;
            return true;
        }
        value = [];
        return false;
    }
}
