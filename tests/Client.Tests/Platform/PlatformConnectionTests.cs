using Groundwork.Client.Discovery;
using Groundwork.Client.Platform;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Client.Tests.Platform;

public sealed class PlatformConnectionTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_node_that_is_away_is_passed_over_and_the_other_is_kept()
    {
        await using var platform = await PlatformStub.StartAsync();
        using var connection = Connect($"http://127.0.0.1:{FreePort.Next()}", platform.Address);

        var outcome = await LoadAsync(connection);

        Assert.Null(outcome.Fault);
        Assert.Equal(platform.Port, connection.Address.Port);
        Assert.Null(connection.AwaySince);
    }

    [Fact]
    public async Task A_node_that_cannot_serve_is_passed_over()
    {
        await using var failing = await PlatformStub.StartAsync();
        failing.Failures["/"] = (503, "storage_unavailable");
        await using var platform = await PlatformStub.StartAsync();
        using var connection = Connect(failing.Address, platform.Address);

        Assert.Null((await LoadAsync(connection)).Fault);
        Assert.Null((await LoadAsync(connection)).Fault);

        Assert.Single(failing.Calls); // The one that answers is asked first from then on.
    }

    [Fact]
    public async Task A_refusal_is_the_answer_and_no_reason_to_ask_another_node()
    {
        await using var refusing = await PlatformStub.StartAsync();
        refusing.Failures["/"] = (403, "forbidden");
        await using var platform = await PlatformStub.StartAsync();
        using var connection = Connect(refusing.Address, platform.Address);

        var outcome = await LoadAsync(connection);

        Assert.Same(ErrorCodes.Forbidden, outcome.Fault?.Error);
        Assert.Empty(platform.Calls);
    }

    [Fact]
    public async Task When_no_node_answers_it_says_since_when()
    {
        var time = new ManualTimeProvider();
        using var connection =
            Connect(time, $"http://127.0.0.1:{FreePort.Next()}", $"http://127.0.0.1:{FreePort.Next()}");

        var outcome = await LoadAsync(connection);
        time.Advance(TimeSpan.FromMinutes(1));
        await LoadAsync(connection);

        Assert.Same(PlatformConnection.Away, outcome.Fault?.Error);
        Assert.Equal(ManualTimeProvider.DefaultStart, connection.AwaySince);
    }

    [Fact]
    public async Task A_key_that_was_rotated_in_its_file_is_read_again()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("key", "old-key\n");
        await using var platform = await PlatformStub.StartAsync();
        platform.AcceptedKey = "old-key";
        using var connection = Connect(new GroundworkOptions { Addresses = [platform.Address], AccessKeyFile = file });
        Assert.Null((await LoadAsync(connection)).Fault);

        platform.AcceptedKey = "new-key";
        directory.Write("key", "new-key");

        Assert.Null((await LoadAsync(connection)).Fault);
        Assert.Equal(["Bearer old-key", "Bearer old-key", "Bearer new-key"], platform.Credentials);
    }

    private static PlatformConnection Connect(params string[] addresses) => Connect(TimeProvider.System, addresses);

    private static PlatformConnection Connect(TimeProvider time, params string[] addresses) =>
        Connect(new GroundworkOptions { Addresses = addresses, Time = time });

    private static PlatformConnection Connect(GroundworkOptions options) =>
        new(options, new CallerName(options), NullLogger.Instance);

    private static Task<Outcome<Wire.Contracts.SettingSnapshot>> LoadAsync(PlatformConnection connection) =>
        connection.GetAsync(
            "/settings/default?group=orders", WireJson.Lenient.SettingSnapshot, Limit, CancellationToken.None);
}
