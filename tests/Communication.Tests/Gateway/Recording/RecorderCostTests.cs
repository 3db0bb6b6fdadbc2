using System.Net;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Timing;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;
using Groundwork.Wire.Http1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Communication.Tests.Gateway.Recording;

/// <summary>What it costs to write a request down, with everything on. Runs alone: allocations are the process's.
/// </summary>
[Collection(nameof(AllocationTests))]
public sealed class RecorderCostTests
{
    private const int WarmUp = 50_000;
    private const int Measured = 200_000;

    [Fact]
    public void A_request_is_counted_logged_and_considered_without_allocating()
    {
        using var directory = new TemporaryDirectory();
        using var pools = new InstancePools(
            new AddressGuard(() => [], []), new GatewayOptions(), TimeProvider.System);
        using var deadlines = new Deadlines(TimeProvider.System);
        using var log = new AccessLog(
            new AccessLogOptions(directory.Combine("log")), TimeProvider.System, NullLogger.Instance);
        var recorder = new ExchangeRecorder(
            new TrafficCounters(), new RequestRing(TimeProvider.System), log, new HeldSnapshots(), TimeProvider.System);
        var exchange = new Exchange(pools, deadlines, new HeadLimits(8192, 32768, 100),
            new HeadLimits(8192, 65536, 256), TimeProvider.System);
        exchange.Request.Append(
            "GET /api/items/42?page=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nReferer: http://a/b?c\r\n\r\n"u8);
        Assert.Equal(HeadProgress.Complete, exchange.Request.Parse());
        exchange.Begin(new Client());
        exchange.Route = Routes.Make("all", "/**", ["*"]);
        for (var note = 0; note < 6; note++) exchange.Note(Stage.Attempt, "asked");

        Run(WarmUp);
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var begun = TimeProvider.System.GetTimestamp();
        Run(Measured);
        var nanoseconds = TimeProvider.System.GetElapsedTime(begun).TotalNanoseconds / Measured;
        var each = (double)(GC.GetAllocatedBytesForCurrentThread() - bytes) / Measured;

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{nanoseconds:0} ns and {each:0.0} bytes a request; {log.Written} lines, {log.Dropped} dropped");
        // Those that are kept to be explained, fifty a second, are all that allocates.
        Assert.InRange(each, 0, 64);
        // Generous: the machine is shared, and a build for debugging several times slower.
        Assert.InRange(nanoseconds, 0, 20_000);

        void Run(int count)
        {
            for (var index = 0; index < count; index++)
            {
                recorder.Searched(exchange, RouteTable.Empty);
                recorder.Ended(exchange);
            }
        }
    }

    private sealed class Client : IClient, ITraffic
    {
        public IPAddress? Address { get; } = IPAddress.Parse("203.0.113.7");

        public ReadOnlySpan<byte> AddressText => "203.0.113.7"u8;

        public bool IsSecure => false;

        public ReadOnlySpan<byte> Protocol => "1.1"u8;

        public bool IsGone => false;

        public bool BodyTouched => false;

        public bool HasBegun => true;

        public int Status => 200;

        public long BytesIn => 0;

        public long BytesOut => 1234;

        public ValueTask AskForBodyAsync() => ValueTask.CompletedTask;

        public ValueTask<int> ReadBodyAsync(Memory<byte> into) => ValueTask.FromResult(0);

        public void GiveUpBody()
        {
        }

        public ValueTask InterimAsync(ResponseHead head) => ValueTask.CompletedTask;

        public void Begin(AnswerHead head)
        {
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
        }

        public Memory<byte> Room(int bytes) => default;

        public void Advance(int bytes)
        {
        }

        public void End(FieldTable? trailers)
        {
        }

        public ValueTask<bool> FlushAsync() => ValueTask.FromResult(true);

        public void Abort()
        {
        }
    }
}
