using System.Diagnostics.CodeAnalysis;
using Groundwork.Client.Calls;
using Groundwork.Client.Discovery;

namespace Groundwork.Client;

/// <summary>The services that this one calls: a singleton of the host's services.</summary>
public sealed class GroundworkServices
{
    private readonly ServiceCaller caller;

    internal GroundworkServices(ServiceCaller caller, ServiceDirectory directory, CallPlans plans)
    {
        this.caller = caller;
        Directory = directory;
        Plans = plans;
    }

    /// <summary>What is called.</summary>
    internal ServiceDirectory Directory { get; }

    /// <summary>How services are called.</summary>
    internal CallPlans Plans { get; }

    /// <summary>
    /// A handler for <c>new HttpClient(handler)</c> that calls services by name. Keep the client: each handler has its
    /// own pool of connections.
    /// </summary>
    /// <param name="inner">Sends what the handler has addressed; a <see cref="SocketsHttpHandler"/> when not
    /// given.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The handler that is returned owns the inner one.")]
    public GroundworkHandler CreateHandler(HttpMessageHandler? inner = null) =>
        new(caller, inner ?? new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2) });

    /// <summary>
    /// Where the instances of a service are that traffic may go to now, such as <c>http://10.0.0.7:5001</c>; empty when
    /// it has none or is not known.
    /// </summary>
    /// <param name="service">The service's name, as in <c>http://name/</c>.</param>
    /// <param name="cancellationToken">Ends the wait for the registry, which the first call of a name needs.</param>
    public async Task<IReadOnlyList<Uri>> FindAsync(string service, CancellationToken cancellationToken = default)
    {
        var list = (await Directory.FindAsync(service, cancellationToken))?.List;
        return list is null
            ? []
            : [.. list.Callable.Select(target => new UriBuilder(target.Scheme, target.Host, target.Port).Uri)];
    }
}
