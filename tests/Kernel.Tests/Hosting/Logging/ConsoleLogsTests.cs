using System.Diagnostics;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Tests.Hosting.Logging;

public sealed partial class ConsoleLogsTests
{
    [Fact]
    public async Task Entry_is_one_line_with_time_level_category_revision_trace_and_values()
    {
        using var activity = new Activity("test").Start();
        var lines = await WriteAsync(logger => LogThing(logger, "a \"b\"\nts=forged", 7), revision: 42);
        Assert.Equal(
            $"ts=2030-01-01T00:00:00.000Z level=warn category=Things revision=42 trace={activity.TraceId} "
            + """msg="Thing a \"b\"\nts=forged has 7" Thing="a \"b\"\nts=forged" Count=7""",
            Assert.Single(lines));
    }

    [Fact]
    public async Task Exception_stays_on_its_line()
    {
        var lines = await WriteAsync(logger => LogBroken(logger, new InvalidOperationException("first\nsecond")));
        Assert.Contains("error=\"System.InvalidOperationException: first\\nsecond", Assert.Single(lines));
    }

    [Fact]
    public async Task Revision_is_left_out_until_there_is_one()
    {
        Assert.DoesNotContain("revision=", Assert.Single(await WriteAsync(logger => LogThing(logger, "a", 1))));
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Information, false)]
    [InlineData("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning, true)]
    [InlineData("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Error, false)]
    [InlineData("Groundwork.Things", LogLevel.Information, true)]
    [InlineData("Groundwork.Things", LogLevel.Debug, false)]
    public void Framework_tells_only_what_is_wrong(string category, LogLevel level, bool isEnabled)
    {
        using var logs = new ConsoleLogs(TextWriter.Null, TimeProvider.System);
        Assert.Equal(isEnabled, logs.CreateLogger(category).IsEnabled(level));
    }

    [Fact]
    public async Task Reader_that_stalls_costs_lines_and_never_a_caller()
    {
        using var stalled = new StalledWriter();
        await using var logs = new ConsoleLogs(stalled, new ManualTimeProvider());
        var logger = logs.CreateLogger("Groundwork.Things");
        for (var number = 0; number < 20_000; number++) LogThing(logger, "a", number);
        stalled.Release();
        await logs.DisposeAsync();
        Assert.InRange(stalled.Lines.Count, 8_000, 8_300);
        Assert.Contains(stalled.Lines, line => line.Contains("lines were dropped", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reader_that_is_gone_does_not_end_the_node()
    {
        var gone = new StringWriter();
        await gone.DisposeAsync();
        var logs = new ConsoleLogs(gone, TimeProvider.System);
        LogThing(logs.CreateLogger("Groundwork.Things"), "a", 1);
        Assert.Null(await Record.ExceptionAsync(() => logs.DisposeAsync().AsTask()));
    }

    private static async Task<string[]> WriteAsync(Action<ILogger> write, long? revision = null)
    {
        var output = new StringWriter();
        await using (var logs = new ConsoleLogs(output, new ManualTimeProvider()))
        {
            if (revision is { } known) logs.Revision.Follow(() => known);
            write(logs.CreateLogger("Groundwork.Things"));
        }
        return output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }

    [LoggerMessage(1, LogLevel.Warning, "Thing {Thing} has {Count}")]
    private static partial void LogThing(ILogger logger, string thing, int count);

    [LoggerMessage(2, LogLevel.Error, "It broke")]
    private static partial void LogBroken(ILogger logger, Exception exception);

    private sealed class StalledWriter : StringWriter
    {
        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Lines { get; } = [];

        public void Release() => released.SetResult();

        public override async Task WriteLineAsync(string? value)
        {
            await released.Task;
            Lines.Add(value ?? "");
        }
    }
}
