using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Groundwork.Kernel.Hosting;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Groundwork.Services.Settings.Protocols.Spring.Bus;

/// <summary>
/// One bus: a bounded queue, and a loop that brings what is in it to the broker. An event leaves the queue when the
/// broker has confirmed it; while the broker is away the oldest make room.
/// </summary>
internal sealed partial class BusConnection : IAsyncDisposable
{
    /// <summary>Events that wait for the broker: they say the same again and again.</summary>
    public const int MaxWaiting = 256;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>What connecting or one confirmation may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource stopping = new();
    private readonly Channel<RefreshEvent> waiting;
    private readonly ConfigBusSpec spec;
    private readonly string? password;
    private readonly AddressGuard guard;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Task loop;
    private volatile string? failure;

    public BusConnection(
        string name, long revision, ConfigBusSpec spec, string? password, AddressGuard guard, TimeProvider time,
        ILogger logger)
    {
        Name = name;
        Revision = revision;
        this.spec = spec;
        this.password = password;
        this.guard = guard;
        this.time = time;
        this.logger = logger;
        waiting = Channel.CreateBounded<RefreshEvent>(
            new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            dropped => LogDropped(Name, dropped.Destination));
        loop = Task.Run(RunAsync);
    }

    public string Name { get; }

    public long Revision { get; }

    /// <summary>Why events wait; null when none does, or the broker takes them.</summary>
    public string? Failure => failure;

    /// <summary>Puts an event in the queue; never waits.</summary>
    public void Publish(RefreshEvent news) => waiting.Writer.TryWrite(news);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await loop;
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var pause = FirstPause;
        try
        {
            // No event, no connection: a broker that is away disturbs nobody who has nothing to say.
            while (await waiting.Reader.WaitToReadAsync(stopping.Token))
            {
                try
                {
                    await ServeAsync(() => pause = FirstPause);
                }
                catch (Exception fault) when (!stopping.IsCancellationRequested)
                {
                    // Whatever it is, the broker is broken to us: what waits, waits on.
                    if (failure != fault.Message) LogAway(Name, fault.Message);
                    failure = fault.Message;
                }
                if (failure is null) continue;
                await Task.Delay(pause, time, stopping.Token);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The bus ends.
        }
    }

    /// <summary>Publishes until the connection breaks.</summary>
    private async Task ServeAsync(Action reached)
    {
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
            stopping.Token);
        await channel.ExchangeDeclareAsync(
            spec.Exchange, ExchangeType.Topic, durable: true, autoDelete: false, cancellationToken: stopping.Token);
        if (failure is not null) LogBack(Name);
        failure = null;
        reached();
        while (await waiting.Reader.WaitToReadAsync(stopping.Token))
        {
            if (!waiting.Reader.TryPeek(out var news)) continue;
            using var limit = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping.Token);
            await channel.BasicPublishAsync(
                spec.Exchange, spec.Exchange, mandatory: false,
                new BasicProperties
                {
                    ContentType = "application/json", DeliveryMode = DeliveryModes.Persistent, MessageId = news.Id,
                },
                news.ToJson(), either.Token);
            // It may have made room for a newer one meanwhile, which then is the one at the head.
            if (waiting.Reader.TryPeek(out var head) && ReferenceEquals(head, news)) waiting.Reader.TryRead(out _);
        }
    }

    private async Task<IConnection> ConnectAsync()
    {
        var port = spec.Port > 0 ? spec.Port : spec.Tls ? 5671 : 5672;
        var factory = new ConnectionFactory
        {
            HostName = $"{await ResolveAsync(port)}",
            Port = port,
            UserName = spec.Username,
            Password = password ?? "",
            VirtualHost = spec.VirtualHost,
            AutomaticRecoveryEnabled = false, // The loop above does it, and knows what was confirmed.
            RequestedConnectionTimeout = Patience,
            HandshakeContinuationTimeout = Patience,
            ContinuationTimeout = Patience,
            ClientProvidedName = "groundwork",
        };
        if (spec.Tls) factory.Ssl = new SslOption(spec.Host) { Enabled = true };
        return await factory.CreateConnectionAsync(stopping.Token);
    }

    private async Task<IPAddress> ResolveAsync(int port)
    {
        var addresses = IPAddress.TryParse(spec.Host, out var literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(spec.Host, stopping.Token);
        string? forbidden = null;
        foreach (var address in addresses)
        {
            if (guard.Explain(address, port) is not { } reason) return address;
            forbidden = reason;
        }
        throw forbidden is null
            ? new SocketException((int)SocketError.HostNotFound)
            : new AddressForbiddenException(forbidden);
    }

    [LoggerMessage(1, LogLevel.Warning, "The bus {Bus} is away, and what it is to be told waits: {Why}")]
    private partial void LogAway(string bus, string why);

    [LoggerMessage(2, LogLevel.Information, "The bus {Bus} is back")]
    private partial void LogBack(string bus);

    [LoggerMessage(3, LogLevel.Warning, "The bus {Bus} was away too long: a refresh of {Destination} is left out")]
    private partial void LogDropped(string bus, string destination);
}
