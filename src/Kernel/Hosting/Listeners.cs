using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Groundwork.Kernel.Hosting.Listening;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// The listeners of this node. Modules map onto one of them, by name; they open together, after all have started.
/// </summary>
public sealed partial class Listeners : IAsyncDisposable
{
    /// <summary>What every path of the platform's own API starts with.</summary>
    public const string ApiRoot = "/groundwork/v1";

    private readonly FrozenDictionary<string, Listener> byName;
    private readonly FrozenDictionary<string, ListenAddress> sockets;
    // One of its own, and one at a well-known port where that is asked for.
    private readonly FrozenDictionary<string, ImmutableArray<DatagramListener>> datagrams;
    private readonly FrozenDictionary<string, string> shared; // Protocols that have paths on another listener.
    private readonly ConcurrentDictionary<string, SocketListener> opened = new(StringComparer.Ordinal);
    private readonly ListenersOptions options;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stopping = new();
    private readonly ILogger logger;
    private bool started;

    /// <summary>Builds the servers without opening a socket.</summary>
    /// <exception cref="StartupException">The options break a rule; all of them are named.</exception>
    public Listeners(
        IReadOnlyCollection<ListenerDefinition> definitions,
        ListenersOptions options,
        RequestGuards guards,
        TimeProvider time,
        ILoggerFactory logs)
    {
        var faults = new List<FieldFault>();
        ListenerRules.Check(definitions, options, faults);
        if (faults.Count > 0)
            throw new StartupException(
                new Fault(ErrorCodes.ConfigurationInvalid,
                    "The listeners cannot open as configured.") { Fields = [.. faults] });
        logger = logs.CreateLogger<Listeners>();
        this.options = options;
        this.time = time;
        shared = definitions.Where(one => one.SharedWith is not null && !ListenerRules.For(one, options).Off)
            .ToFrozenDictionary(one => one.Name, one => one.SharedWith!, StringComparer.Ordinal); // Not null, as asked.
        definitions = [.. definitions.Where(one => ListenerRules.HasAddress(one, options))];
        datagrams = definitions.Where(definition => definition.Protocol == ListenerProtocol.Datagrams)
            .ToFrozenDictionary(definition => definition.Name, DatagramsOf, StringComparer.Ordinal);
        sockets = definitions.Where(definition => definition.Protocol == ListenerProtocol.Sockets)
            .ToFrozenDictionary(
                definition => definition.Name,
                definition => ListenerRules.AddressOf(definition, ListenerRules.For(definition, options)),
                StringComparer.Ordinal);
        byName = definitions
            .Where(definition => definition.Protocol is not (ListenerProtocol.Sockets or ListenerProtocol.Datagrams))
            .Select(definition => new Listener(definition, options, guards, time, logs))
            .ToFrozenDictionary(listener => listener.Name, StringComparer.Ordinal);

        ImmutableArray<DatagramListener> DatagramsOf(ListenerDefinition definition)
        {
            var address = ListenerRules.AddressOf(definition, ListenerRules.For(definition, options));
            var own = new DatagramListener(definition.Name, address, isBesides: false, options, time, logger);
            return ListenerRules.BesidesOf(definition, options) is { } besides
                ? [own, new DatagramListener(definition.Name, besides, isBesides: true, options, time, logger)]
                : [own];
        }
    }

    /// <summary>
    /// Ends when the listeners begin to close. Answers that have no end of their own, such as event streams, end on it.
    /// </summary>
    public CancellationToken Stopping => stopping.Token;

    /// <summary>Every operation of every listener with its permission, in order of listener, path and method.</summary>
    public ImmutableArray<MappedEndpoint> Endpoints =>
    [
        .. byName.Values
            .SelectMany(listener => listener.Endpoints())
            .OrderBy(endpoint => endpoint.Listener, StringComparer.Ordinal)
            .ThenBy(endpoint => endpoint.Pattern, StringComparer.Ordinal)
            .ThenBy(endpoint => endpoint.Method, StringComparer.Ordinal),
    ];

    /// <summary>True when the listener was declared and can be mapped onto.</summary>
    public bool Has(string listener) => byName.ContainsKey(listener) || datagrams.ContainsKey(listener);

    /// <summary>True when a protocol of others is spoken: on the listener that it shares, or on its own.</summary>
    public bool Speaks(string protocol) =>
        Has(protocol) || (shared.TryGetValue(protocol, out var with) && byName.ContainsKey(with));

    /// <summary>
    /// Maps endpoints onto a listener. Every endpoint needs a permission (see <see cref="EndpointPermissions"/>).
    /// </summary>
    public void Map(string listener, Action<IEndpointRouteBuilder> map) => Find(listener).Map(map);

    /// <summary>
    /// Maps the endpoints of a protocol of others wherever the configuration has it: on the listener that it shares, on
    /// its own, or nowhere.
    /// </summary>
    public void MapProtocol(string protocol, Action<IEndpointRouteBuilder> map) => MapProtocol(protocol, map, map);

    /// <inheritdoc cref="MapProtocol(string, Action{IEndpointRouteBuilder})"/>
    /// <param name="onShared">Maps its paths beside those of others.</param>
    /// <param name="onOwn">Maps them where it is alone, such as at the root.</param>
    public void MapProtocol(
        string protocol, Action<IEndpointRouteBuilder> onShared, Action<IEndpointRouteBuilder> onOwn)
    {
        // The one that it shares may be off itself.
        if (shared.TryGetValue(protocol, out var with) && byName.TryGetValue(with, out var host))
            host.Map(endpoints => onShared(Marked(endpoints)));
        if (byName.TryGetValue(protocol, out var own)) own.Map(endpoints => onOwn(Marked(endpoints)));

        // What it serves is described by whoever made the protocol, and by its page in docs/protocols.
        IEndpointRouteBuilder Marked(IEndpointRouteBuilder endpoints) =>
            endpoints.MapGroup("").WithMetadata(new ProtocolMark(protocol)).ExcludeFromDescription();
    }

    /// <summary>
    /// Has a protocol of others word what goes wrong around its endpoints, such as a method that none of them has.
    /// </summary>
    /// <param name="below">Where it stands on the listener that it shares; on its own everything is its.</param>
    /// <param name="write">Writes a fault to a response that has not started; <c>Allow</c> may be set.</param>
    public void WordFaults(string protocol, PathString below, Func<HttpContext, Fault, Task> write)
    {
        if (shared.TryGetValue(protocol, out var with) && byName.TryGetValue(with, out var host))
            host.WordFaults(below, write);
        if (byName.TryGetValue(protocol, out var own)) own.WordFaults(default, write);
    }

    /// <summary>Gives the sockets of a listener of <see cref="ListenerProtocol.Datagrams"/> to one owner.</summary>
    /// <param name="datagrams">
    /// Gets each bound UDP socket when the listener opens, and must not wait. What it returns is disposed before the
    /// socket closes: nobody may wait in it any more then.
    /// </param>
    /// <param name="connection">Gets each connection, and must not wait.</param>
    public void Receive(string listener, Func<Socket, IDisposable> datagrams, Action<Socket> connection)
    {
        if (!this.datagrams.TryGetValue(listener, out var found)) throw Unknown(listener);
        foreach (var one in found) one.Receive(datagrams, connection);
    }

    /// <summary>
    /// Gives everything that comes over a listener of <see cref="ListenerProtocol.Proxy"/> to one owner.
    /// </summary>
    /// <param name="http1">
    /// Serves a connection to its end. True when it did; false when the connection turned out to begin as HTTP/2, of
    /// which nothing may have been consumed.
    /// </param>
    /// <param name="http2">Answers one request.</param>
    public void Serve(string listener, Func<ConnectionContext, Task<bool>> http1, RequestDelegate http2) =>
        Find(listener).Serve(http1, http2);

    /// <summary>Has somebody decide about each connection of a listener before anything is read of it.</summary>
    public void Guard(string listener, IConnectionGuard guard) => Find(listener).Guard(guard);

    /// <summary>Gives all connections of a TCP listener to one handler.</summary>
    public void Accept(string listener, ConnectionDelegate handler) => Find(listener).Accept(handler);

    /// <summary>
    /// Listens, until disposed, at the address that the configuration gives a listener of
    /// <see cref="ListenerProtocol.Sockets"/>; or at one of loopback, which it need not name. There is no way to any
    /// other.
    /// </summary>
    /// <param name="take">Gets each connection, and must not wait.</param>
    /// <exception cref="StartupException">The address is taken, or nobody has configured it.</exception>
    public IDisposable Open(string name, ListenAddress? loopback, Action<Socket> take)
    {
        if (!sockets.TryGetValue(name, out var address))
            address = loopback ?? throw new StartupException(new Fault(
                ErrorCodes.AddressUnavailable, $"The process configuration opens no listeners.{name}."));
        if (!sockets.ContainsKey(name) && !address.IsLoopback)
            throw new ArgumentException("Only the process configuration opens others.", nameof(loopback));
        var socket = ListenSocket.Bind(name, address.ToEndPoint(), nextFreePort: false, options.Inherited);
        return opened.AddOrUpdate(
            name,
            _ => new SocketListener(
                name, socket, take, () => opened.TryRemove(name, out SocketListener? _), time, logger),
            (_, _) => throw new InvalidOperationException($"{name} is open already."));
    }

    /// <summary>
    /// Copies of all sockets that listen, to be given to the program that takes this one's place: what connects from
    /// when they are closed here waits in them.
    /// </summary>
    public IReadOnlyDictionary<string, int> KeepSockets() => InheritedSockets.Keep(
        byName.Values.SelectMany(listener => listener.Sockets.Select(socket => (listener.Name, socket)))
            .Concat(opened.Values.Select(one => (one.Name, one.Socket)))
            .Concat(AllDatagrams.SelectMany(one => one.Sockets)));

    /// <summary>Where a listener really listens, once started; its Unix socket left out. Empty before.</summary>
    public IReadOnlyList<IPEndPoint> AddressesOf(string listener) => [.. Find(listener).Bound.OfType<IPEndPoint>()];

    /// <summary>
    /// The first address as a URL that a program on this machine can call, such as <c>http://127.0.0.1:7400</c>.
    /// </summary>
    public Uri UrlOf(string listener)
    {
        if (opened.TryGetValue(listener, out var tcp)) return new Uri($"tcp://{tcp.Address}");
        if (datagrams.TryGetValue(listener, out var udp)) return new Uri($"udp://{udp[0].Address}");
        var address = AddressesOf(listener)[0];
        var host = address.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : address.Address;
        return new Uri($"{Find(listener).Scheme}://{new IPEndPoint(host, address.Port)}");
    }

    /// <summary>
    /// All addresses that this process listens on, for <c>node.json</c> and for whoever must not call them.
    /// </summary>
    public ImmutableDictionary<string, ImmutableArray<IPEndPoint>> Addresses => byName
        .Where(pair => pair.Value.Bound.Count > 0) // Not one that nothing is mapped onto.
        .Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Bound.OfType<IPEndPoint>().ToImmutableArray()))
        .Concat(opened.Values.Select(one => KeyValuePair.Create(one.Name, ImmutableArray.Create(one.Address))))
        .Concat(datagrams
            .Select(pair => KeyValuePair.Create(
                pair.Key, pair.Value.Select(one => one.Address).OfType<IPEndPoint>().ToImmutableArray()))
            .Where(pair => pair.Value.Length > 0))
        .ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>Checks what is mapped and opens all listeners; when one cannot open, none stays open.</summary>
    /// <exception cref="StartupException">An address is taken; its holder is named.</exception>
    /// <exception cref="InvalidOperationException">An endpoint has no permission, or two have one path.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _ = Endpoints;
        started = true;
        foreach (var listener in byName.Values.OrderBy(listener => listener.Name, StringComparer.Ordinal))
            await listener.StartAsync(cancellationToken);
        foreach (var pair in datagrams.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            foreach (var listener in pair.Value) listener.Open();
        if (sockets.Count == 0) options.Inherited.CloseRest();
    }

    /// <summary>
    /// Takes no new connections, ends event streams, waits for requests under way until the token ends, then cuts them.
    /// </summary>
    public async Task StopAsync(CancellationToken patience)
    {
        if (!started) return;
        started = false;
        await stopping.CancelAsync();
        foreach (var one in opened.Values) one.Dispose();
        foreach (var one in AllDatagrams) one.Dispose();
        await Task.WhenAll(byName.Values.Select(listener => StopAsync(listener, patience)));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        foreach (var one in AllDatagrams) one.Dispose();
        foreach (var listener in byName.Values) await listener.DisposeAsync();
        stopping.Dispose();
    }

    private async Task StopAsync(Listener listener, CancellationToken patience)
    {
        try
        {
            await listener.StopAsync(patience);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            LogCut(listener.Name);
        }
    }

    private IEnumerable<DatagramListener> AllDatagrams => datagrams.Values.SelectMany(each => each);

    private Listener Find(string listener) => byName.GetValueOrDefault(listener) ?? throw Unknown(listener);

    private static ArgumentException Unknown(string listener) =>
        new($"No module that runs here declares the listener '{listener}'.", nameof(listener));

    [LoggerMessage(1, LogLevel.Warning, "Listener {Listener} cut requests that did not end in time")]
    private partial void LogCut(string listener);
}
