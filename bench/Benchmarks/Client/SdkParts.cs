using Groundwork.Client;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Configuration;

namespace Groundwork.Benchmarks.Client;

/// <summary>The SDK as a host has it, with services that it remembers and no platform to ask.</summary>
internal sealed class SdkParts
{
    private readonly ClientParts parts;

    /// <param name="services">Names, and where their instances are.</param>
    /// <param name="policies">Keys below <c>Groundwork:Calls</c>.</param>
    public SdkParts(
        IEnumerable<(string Name, IEnumerable<(string Host, int Port)> Instances)> services,
        params (string Key, string Value)[] policies)
    {
        // Port 9 discards, or refuses: either way there is no platform.
        var options = new GroundworkOptions
        {
            ServiceName = "bench", Addresses = ["http://127.0.0.1:9"], Register = false, DiskSnapshot = false,
        };
        options.Settle("bench");
        parts = new ClientParts(options);
        parts.Directory.Restore(services.Select(service => new ServiceDocument(
            "default", "default", service.Name, 1, "bench", false,
            [.. service.Instances.Select(at => new InstanceDocument(
                service.Name, at.Host, at.Port, Id: $"{service.Name}-{at.Host}-{at.Port}"))])));
        parts.Calls.Take(new ConfigurationBuilder()
            .AddInMemoryCollection(policies.ToDictionary(
                policy => $"Groundwork:Calls:{policy.Key}", policy => (string?)policy.Value))
            .Build());
    }

    /// <summary>Asks the platform that is not there, so that the services remembered are in use.</summary>
    public async Task<SdkParts> FindAsync(string service)
    {
        await parts.Directory.FindAsync(service, CancellationToken.None);
        return this;
    }

    public GroundworkHandler Handler(HttpMessageHandler inner) => new(parts.Caller, inner);
}
