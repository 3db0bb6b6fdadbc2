using System.Globalization;
using Google.Protobuf;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Rpc;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Protocols;
using Groundwork.Services.Registry.Protocols.Sights;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>
/// One stream of a client. A task takes its requests, another sends what they ask for and whatever becomes of it.
/// </summary>
internal sealed partial class XdsStream(
    GrpcCall call, IRegistryView registry, XdsHosts hosts, XdsCallers callers, XdsStreams streams, TimeProvider time,
    ILogger logger)
{
    private static readonly MessageParser<DiscoveryRequest> Parser =
        DiscoveryRequest.Parser.WithDiscardUnknownFields(true);

    // Says which stream a version is of; of no meaning beyond.
    private readonly string version = Random.Shared.Next().ToString("x", CultureInfo.InvariantCulture);
    private readonly StreamWait wait = new();
    private readonly Lock gate = new(); // Of the two below; inside it only the registry is read.
    private readonly XdsSubscription?[] subscriptions = new XdsSubscription?[XdsTypes.InOrder.Length]; // By type.
    private int held; // Names of all types.

    private (ServiceKey Key, ServiceView? View)[] followed = []; // Swapped by the task that sends, read by the look.
    private long generation; // The same.
    private object? edition; // Of hosts; the same.
    private string nodeId = ""; // Of the first request, as is the zone.
    private string zone = "";
    private long lastNonce; // Of the task that sends.
    private readonly DateTimeOffset since = time.GetUtcNow();
    private readonly string agent = XdsWords.Shorten(
        call.Context.Request.Headers.UserAgent.ToString(), RegistryLimits.MaxClientLength);

    private readonly string? address = RequestAddress.Of(call.Context);
    private volatile string askedBy = ""; // Who asks, once that is known.

    /// <summary>Serves the stream to its end, which is the client's unless it is thrown.</summary>
    public async Task RunAsync()
    {
        if (!streams.Enter(this))
            throw streams.Stopping.IsCancellationRequested ? XdsErrors.Stopping : XdsErrors.TooManyStreams;
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(call.Aborted, streams.Stopping);
            using var waking = wait.EndWith(ending.Token);
            var principal = await callers.IdentifyAsync(call.Context);
            await call.AcceptAsync();
            if (await ReadFirstAsync(ending.Token) is not { } first) return;
            var caller = callers.Enter(call.Context, principal, first.Node?.Metadata);
            (nodeId, zone) = (first.Node?.Id ?? "", first.Node?.Locality?.Zone ?? "");
            Take(first);
            await ServeAsync(caller, ending);
        }
        catch (OperationCanceledException) when (IsStopping)
        {
            throw XdsErrors.Stopping;
        }
        finally
        {
            streams.Leave(this);
            streams.Hold(-held);
        }
        if (IsStopping) throw XdsErrors.Stopping;
    }

    /// <summary>Wakes the stream when what it was sent may no longer be so.</summary>
    /// <param name="now">The generation of rights.</param>
    /// <param name="asks">It is time to ask whether the caller is still one.</param>
    public void Look(IRegistryView registry, long now, bool asks)
    {
        if (asks || Volatile.Read(ref generation) != now || !ReferenceEquals(Volatile.Read(ref edition), hosts.Edition))
        {
            wait.Wake();
            return;
        }
        foreach (var (key, view) in Volatile.Read(ref followed))
        {
            if (ReferenceEquals(registry.Find(key), view)) continue;
            wait.Wake();
            return;
        }
    }

    /// <summary>True when it has asked for the service, which need not be there.</summary>
    public bool Follows(ServiceKey service)
    {
        foreach (var (key, _) in Volatile.Read(ref followed))
            if (key == service) return true;
        return false;
    }

    /// <summary>Whose stream it is: the client's node, else the principal.</summary>
    public Subscriber Describe()
    {
        var node = XdsWords.Shorten(nodeId);
        return new Subscriber("stream", agent, node.Length > 0 ? node : askedBy, address, since);
    }

    private bool IsStopping => streams.Stopping.IsCancellationRequested && !call.Aborted.IsCancellationRequested;

    private async Task ServeAsync(LastingCaller caller, CancellationTokenSource ending)
    {
        wait.Wake(); // For the first request.
        var reading = TakeAllAsync(ending.Token);
        var sending = SendAllAsync(caller, ending.Token);
        var first = await Task.WhenAny(reading, sending);
        await ending.CancelAsync();
        await Task.WhenAll(reading, sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first; // Whatever the other came to follows from it.
    }

    private async Task<DiscoveryRequest?> ReadFirstAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(XdsLimits.FirstPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw XdsErrors.Silent;
        }
    }

    private async Task TakeAllAsync(CancellationToken cancellationToken)
    {
        while (await ReadAsync(cancellationToken) is { } request)
        {
            Take(request);
            wait.Wake();
        }
    }

    private ValueTask<DiscoveryRequest?> ReadAsync(CancellationToken cancellationToken) => call.ReadAsync(
        bytes =>
        {
            try
            {
                return Parser.ParseFrom(bytes);
            }
            catch (InvalidProtocolBufferException)
            {
                throw XdsErrors.Malformed;
            }
        },
        cancellationToken);

    private void Take(DiscoveryRequest request)
    {
        var type = XdsTypes.Of(request.TypeUrl) ?? throw XdsErrors.UnknownType(request.TypeUrl);
        if (request.ResourceNames.Count > XdsLimits.MaxNames) throw XdsErrors.TooManyNames;
        foreach (var name in request.ResourceNames)
            if (name.Length > XdsLimits.MaxNameLength) throw XdsErrors.NameTooLong;
        if (request.ResourceNames.Contains("*")) throw XdsErrors.Wildcard;
        lock (gate)
        {
            if (subscriptions[(int)type] is not { } known)
            {
                // That a type is asked for without a name means all of it, where answers are whole.
                if (request.ResourceNames.Count == 0 && XdsTypes.IsWhole(type)) throw XdsErrors.Wildcard;
                subscriptions[(int)type] = known = new XdsSubscription(type);
            }
            else Hear(known, type, request);
            // Also those of a request that an answer crossed: names are all that the client wanted when it wrote, and
            // what it wants again it must be sent again.
            var before = known.Count;
            known.Want(request.ResourceNames);
            held += known.Count - before;
            if (!streams.Hold(known.Count - before))
            {
                held -= known.Count - before;
                throw XdsErrors.TooManyNamesOfAll;
            }
        }
    }

    // Under the gate.
    private void Hear(XdsSubscription known, XdsType type, DiscoveryRequest request)
    {
        var nonce = request.ResponseNonce;
        if (nonce.Length > 0 && nonce != known.Nonce && !IsPast(nonce)) throw XdsErrors.UnknownNonce;
        if (nonce.Length == 0 || nonce != known.Nonce) return; // It says nothing of the last answer.
        if (request.ErrorDetail is not { } refusal)
        {
            known.IsRefused = false;
            return;
        }
        streams.CountRefusal();
        if (known.IsRefused) return; // One line until it takes one again.
        known.IsRefused = true;
        LogRefused(XdsWords.Shorten(nodeId), type, XdsWords.Shorten(refusal.Message));
    }

    private bool IsPast(string nonce) =>
        long.TryParse(nonce, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number >= 1 && number <= Volatile.Read(ref lastNonce);

    private async Task SendAllAsync(LastingCaller caller, CancellationToken cancellationToken)
    {
        while (await wait.WaitAsync() != Woken.Ended)
        {
            var now = callers.Generation;
            if (!(await caller.AskAsync()).TryGet(out var principal, out _)) throw XdsErrors.UnknownCredential;
            askedBy = principal.Name;
            var routes = hosts.Edition;
            var offers = new Dictionary<string, XdsOffer?>(StringComparer.Ordinal);
            var seen = new Dictionary<ServiceKey, ServiceView?>();
            foreach (var type in XdsTypes.InOrder)
            {
                while (Next(type, name => Offer(name, principal, offers, seen)) is { } answer)
                {
                    await call.WriteAsync(answer.CalculateSize(), answer.WriteTo, cancellationToken);
                    streams.CountAnswer();
                }
            }
            Volatile.Write(ref generation, now);
            Volatile.Write(ref edition, routes);
            Volatile.Write(ref followed, [.. seen.Select(pair => (pair.Key, pair.Value))]);
        }
    }

    private DiscoveryResponse? Next(XdsType type, Func<string, XdsOffer?> offer)
    {
        lock (gate)
        {
            var nonce = lastNonce + 1;
            if (subscriptions[(int)type]?.Next(offer, zone, version, nonce) is not { } answer) return null;
            Volatile.Write(ref lastNonce, nonce);
            return answer;
        }
    }

    // What is not there, and what the caller may not see, are the same to it.
    private XdsOffer? Offer(
        string name, Principal principal, Dictionary<string, XdsOffer?> offers,
        Dictionary<ServiceKey, ServiceView?> seen)
    {
        if (offers.TryGetValue(name, out var offered)) return offered;
        if (ProtocolNames.OfXds(name).TryGet(out var key, out _))
        {
            if (!seen.TryGetValue(key, out var view)) seen[key] = view = registry.Find(key);
            if (view is not null && callers.MayDiscover(principal, key)) offered = new XdsOffer(view, null);
        }
        if (offered is null && hosts.Find(name) is { } host
            && host.Services.All(service => callers.MayDiscover(principal, service)))
            offered = new XdsOffer(null, host);
        return offers[name] = offered;
    }

    [LoggerMessage(
        1, LogLevel.Warning, "The client {Node} of xDS refuses what it was sent of {Type}: {Words}")]
    private partial void LogRefused(string node, XdsType type, string words);
}
