using System.Globalization;
using Groundwork.Client.Discovery;
using Groundwork.Client.Platform;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Registration;

/// <summary>
/// Keeps this instance in the registry from the moment its server listens until it has finished its last request. One
/// loop registers and renews; draining and leaving come from the host's stop while the loop still renews.
/// </summary>
internal sealed partial class InstanceRegistration(
    GroundworkOptions options, PlatformConnection platform, CallerName self, ClientMeters meters, ILogger log)
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(3);

    /// <summary>A stop must not hang on a platform that does not answer.</summary>
    private static readonly TimeSpan LeaveLimit = TimeSpan.FromSeconds(2);

    /// <summary>Renewals within a lease: two may be lost.</summary>
    private const int RenewalsPerLease = 3;

    /// <summary>
    /// Between "sent to every watcher" and the end of accepting: what was sent must also be read, and calls that were
    /// addressed just before must arrive.
    /// </summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(250);

    private readonly long incarnation = options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    // Written by the loop, read by health, drain and leave.
    private RegistrationAnswer? registered;
    private Fault? refused;
    private bool isDraining;

    // The call that registers, while it is under way: only its end tells whether there is something to drain or leave.
    private Task registering = Task.CompletedTask;

    // The id of a registration that nobody answered: it may have arrived. Of the loop, and of the leave after it.
    private string? inDoubt;

    /// <summary>The id under which it is registered; null while it is not.</summary>
    public string? Id => Volatile.Read(ref registered)?.Id;

    /// <summary>Why the last registration or renewal failed; null when it did not.</summary>
    public Fault? Refused => Volatile.Read(ref refused);

    public bool IsDraining => Volatile.Read(ref isDraining);

    public async Task RunAsync(AdvertisedAddress address, CancellationToken cancellationToken)
    {
        self.SetId(options.InstanceId ?? $"{address.Host}:{address.Port}");
        var backoff = new Backoff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var wait = Volatile.Read(ref registered) is { } current
                    ? await RenewAsync(current, backoff, cancellationToken)
                    : await RegisterAsync(address, backoff, cancellationToken);
                await Task.Delay(wait, options.Time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A bug must not end the loop, or the instance would silently leave the registry.
                LogLoop(fault);
                await Task.Delay(backoff.Next(), options.Time, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>
    /// Takes this instance out of everybody's choice, and waits until gateways and services have seen it, or the limit
    /// is over.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref isDraining, true);
        await Volatile.Read(ref registering).WaitAsync(cancellationToken);
        if (Volatile.Read(ref registered) is not { } current) return;
        var began = options.Time.GetTimestamp();
        var path = $"/registry/instances/{Name(current.Id)}/drain?group={Uri.EscapeDataString(options.Group)}";
        var drained = await platform.SendAsync(
            HttpMethod.Post, path, WireJson.Lenient.ServiceDocument, LeaveLimit, cancellationToken);
        if (!drained.TryGet(out var service, out var fault))
        {
            // Nobody was told, so nobody can be waited for.
            LogNotDrained(fault);
            return;
        }
        var behind = await WaitForWatchersAsync(service.Index, began, cancellationToken);
        LogDrained(service.Index, options.Time.GetElapsedTime(began), behind);
    }

    /// <summary>Leaves the registry. The lease would end it too, but later.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        var current = Interlocked.Exchange(ref registered, null);
        if ((current?.Id ?? inDoubt) is not { } id) return;
        var group = Uri.EscapeDataString(options.Group);
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"/registry/instances/{Name(id)}?group={group}&incarnation={current?.Incarnation ?? incarnation}");
        var fault = await platform.SendAsync(HttpMethod.Delete, path, content: null, LeaveLimit, cancellationToken);
        if (fault is null) LogLeft(id);
        else LogNotLeft(fault);
    }

    private async Task<TimeSpan> RegisterAsync(
        AdvertisedAddress address, Backoff backoff, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // Before the description is made: a drain that begins meanwhile is in it, or waits for this.
        Volatile.Write(ref registering, done.Task);
        try
        {
            return await RegisterOnceAsync(address, backoff, cancellationToken);
        }
        finally
        {
            done.SetResult();
        }
    }

    private async Task<TimeSpan> RegisterOnceAsync(
        AdvertisedAddress address, Backoff backoff, CancellationToken cancellationToken)
    {
        // A stop does not cut it off, for then nobody would know whether it arrived; it only bounds it.
        using var patience = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.Time);
        using var stop = cancellationToken.Register(() => patience.CancelAfter(CallLimit));
        inDoubt = options.InstanceId ?? $"{address.Host}:{address.Port}";
        var outcome = await platform.SendAsync(
            HttpMethod.Put, "/registry/instances", Describe(address), WireJson.Strict.InstanceDocument,
            WireJson.Lenient.RegistrationAnswer, CallLimit, patience.Token);
        if (!outcome.TryGet(out var answer, out var fault))
        {
            if (fault.Error != PlatformConnection.Away) inDoubt = null;
            Refuse(fault);
            return backoff.Next();
        }
        inDoubt = null;
        backoff.Reset();
        Volatile.Write(ref refused, null);
        Volatile.Write(ref registered, answer);
        self.SetId(answer.Id);
        LogRegistered(options.ServiceName, answer.Id, address.Host, address.Port, answer.LeaseSeconds);
        return RenewalInterval(answer);
    }

    private async Task<TimeSpan> RenewAsync(
        RegistrationAnswer current, Backoff backoff, CancellationToken cancellationToken)
    {
        var renewal = new RenewalDocument(
            options.ServiceName, current.Id, options.Namespace, options.Group, current.Incarnation);
        var outcome = await platform.SendAsync(
            HttpMethod.Put, "/registry/renewals", new RenewalBatch([renewal]), WireJson.Strict.RenewalBatch,
            WireJson.Lenient.RenewalAnswer, CallLimit, cancellationToken);
        if (!outcome.TryGet(out var answer, out var fault))
        {
            Count("failed");
            Volatile.Write(ref refused, fault);
            return Shorter(backoff.Next(), RenewalInterval(current));
        }
        backoff.Reset();
        if (answer.Refused is not [var refusal, ..])
        {
            Count("renewed");
            Volatile.Write(ref refused, null);
            return RenewalInterval(current);
        }
        Count(refusal.Code);
        LogLost(current.Id, refusal.Code);
        // Left in the meantime: an instance that has gone must not come back.
        Interlocked.CompareExchange(ref registered, null, current);
        return refusal.Code == ErrorCodes.InstanceNotFound.Code ? TimeSpan.Zero : backoff.Next();
    }

    private InstanceDocument Describe(AdvertisedAddress address) => new(options.ServiceName, address.Host, address.Port)
    {
        Namespace = options.Namespace,
        Group = options.Group,
        Id = options.InstanceId,
        Scheme = address.Scheme,
        Ports = address.Ports,
        Weight = options.Weight,
        Version = options.Version,
        Zone = options.Zone,
        Tags = options.Tags.Count > 0 ? [.. options.Tags] : null,
        Metadata = options.Metadata.Count > 0 ? options.Metadata.AsReadOnly() : null,
        // Registered again while it drains, as after a restart of the platform, it must not get traffic back.
        Status = IsDraining ? "draining" : "up",
        Ephemeral = true,
        LeaseSeconds = options.LeaseSeconds,
        Incarnation = incarnation,
    };

    // Returns how many were still behind when the wait ended; null when the platform cannot say.
    private async Task<int?> WaitForWatchersAsync(long index, long began, CancellationToken cancellationToken)
    {
        int? behind = null;
        while (true)
        {
            var left = options.DrainTimeout - options.Time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero) return behind;
            var path = $"/registry/services/{options.Namespace}/{options.ServiceName}/watchers"
                + $"?group={Uri.EscapeDataString(options.Group)}&index={index}&wait={(int)left.TotalMilliseconds}ms";
            // The platform ends the wait; one that does not is not waited for much longer.
            var outcome = await platform.GetAsync(
                path, WireJson.Lenient.WatchersDocument, left + TimeSpan.FromSeconds(1), cancellationToken);
            if (outcome.TryGet(out var watchers, out var fault))
            {
                behind = watchers.Behind;
                if (behind == 0)
                {
                    await Task.Delay(Shorter(Settling, left), options.Time, cancellationToken);
                    return 0;
                }
                continue;
            }
            if (fault.Error == PlatformConnection.Away) return behind;
            // A platform that cannot say who has seen it gets the whole time to tell them.
            LogWatchersUnknown(fault);
            await Task.Delay(left, options.Time, cancellationToken);
            return behind;
        }
    }

    private string Name(string id) => $"{options.Namespace}/{options.ServiceName}/{Uri.EscapeDataString(id)}";

    // A little early at random, so that instances that started together do not renew together for ever.
    private static TimeSpan RenewalInterval(RegistrationAnswer answer) =>
        TimeSpan.FromSeconds((double)answer.LeaseSeconds / RenewalsPerLease) * (
            0.85 + (Random.Shared.NextDouble() * 0.15));

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void Refuse(Fault fault)
    {
        var before = Interlocked.Exchange(ref refused, fault);
        if (before?.Error.Code != fault.Error.Code) LogNotRegistered(options.ServiceName, fault);
    }

    private void Count(string outcome) => meters.Renewals.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Registered {Service} as {Id} at {Host}:{Port} with a lease of {LeaseSeconds} s")]
    private partial void LogRegistered(string service, string id, string host, int port, int leaseSeconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot register {Service}; tries again. {Fault}")]
    private partial void LogNotRegistered(string service, Fault fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The registration {Id} was lost ({Code}); registers again")]
    private partial void LogLost(string id, string code);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Draining since index {Index}; after {Waited} {Behind} watchers had not been sent it")]
    private partial void LogDrained(long index, TimeSpan waited, int? behind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot drain before the stop. {Fault}")]
    private partial void LogNotDrained(Fault fault);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The platform cannot say who has seen the drain. {Fault}")]
    private partial void LogWatchersUnknown(Fault fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "Left the registry: {Id}")]
    private partial void LogLeft(string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot leave the registry; the lease will end it. {Fault}")]
    private partial void LogNotLeft(Fault fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "The registration failed; starts again")]
    private partial void LogLoop(Exception fault);
}
