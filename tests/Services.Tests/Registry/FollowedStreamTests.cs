using System.Net;
using System.Text;
using System.Text.Json;
using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Following;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry;

/// <summary>What a follower believes of what it is told; the other side is a fixed stream.</summary>
public sealed class FollowedStreamTests
{
    [Fact]
    public async Task Empty_list_without_a_reason_is_not_believed()
    {
        var view = await FollowAsync(Document(1, "a"), Document(2));
        Assert.Equal("a", Assert.Single(view.Instances).Key.Id);
    }

    [Fact]
    public async Task Empty_list_with_a_reason_is_believed()
    {
        var view = await FollowAsync(
            Document(1, "a"), Document(2) with { EmptyReason = "the last instance, a: deregistered" });
        Assert.Empty(view.Instances);
    }

    [Fact]
    public async Task Older_index_of_the_same_store_changes_nothing() =>
        Assert.Equal(2, (await FollowAsync(Document(2, "a", "b"), Document(1, "a"))).Instances.Length);

    [Fact]
    public async Task Older_index_of_another_store_is_news() =>
        Assert.Single((await FollowAsync(Document(2, "a", "b"), Document(1, "a") with { StoreId = "other" }))
            .Instances);

    [Fact]
    public async Task Members_that_only_a_newer_node_knows_are_passed_over()
    {
        var text = JsonSerializer.Serialize(Document(1, "a"), WireJson.Strict.ServiceDocument);
        var view = await FollowAsync(text.Insert(1, "\"colour\":\"red\","));
        Assert.Single(view.Callable);
    }

    private static ServiceDocument Document(long index, params string[] ids) => new(
        "default", "default", "orders", index, "store", Protection: false,
        [.. ids.Select(id => LeasedRegistry.Document(id) with { Status = "up" })]);

    private static Task<ServiceView> FollowAsync(params ServiceDocument[] documents) => FollowAsync(
        [.. documents.Select(document => JsonSerializer.Serialize(document, WireJson.Strict.ServiceDocument))]);

    private static async Task<ServiceView> FollowAsync(params string[] documents)
    {
        // The last of the stream is a marker: when it is there, all before it has been taken.
        var last = JsonSerializer.Serialize(
            Document(1, "x") with { Service = "marker" }, WireJson.Strict.ServiceDocument);
        var text = string.Concat(documents.Append(last)
            .Select(document => $"event: service\nid: 1\ndata: {document}\n\n"));
        using var client = new HttpClient(new FixedStream(text)) { BaseAddress = new Uri("http://127.0.0.1:1") };
        await using var follower = new RegistryFollower(
            client, copyPath: null, TimeProvider.System, NullLogger.Instance);
        await follower.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () => follower.Find(LeasedRegistry.Key("", "marker").Service) is not null, "the stream is read");
        return follower.Find(LeasedRegistry.Orders) ?? throw new InvalidOperationException("The service is not known.");
    }

    private sealed class FixedStream(string text) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent(text, Encoding.UTF8, "text/event-stream"),
                RequestMessage = request,
            });
    }
}
