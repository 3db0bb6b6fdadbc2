using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace Groundwork.Client.Tests.TypedClients;

/// <summary>Generated clients as they are registered, against a real server.</summary>
public sealed class ServiceClientTests : IAsyncLifetime
{
    private WarehouseServer server = null!; // Set before every test.
    private ServiceProvider services = null!;
    private IWarehouse warehouse = null!;
    private readonly List<string?> names = [];

    public async ValueTask InitializeAsync()
    {
        server = await WarehouseServer.StartAsync();
        var collection = new ServiceCollection();
        collection.AddServiceClient<IWarehouse>()
            .ConfigureHttpClient(http => http.BaseAddress = server.Address)
            .AddHttpMessageHandler(() => new NameKeeper(names));
        services = collection.BuildServiceProvider();
        warehouse = services.GetRequiredService<IWarehouse>();
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_method_reads_its_result_from_json()
    {
        Assert.Equal(new Item("a", "Kettle", 54.90m), await warehouse.FindItemAsync("a", CancellationToken.None));
        Assert.Equal(new Item("a", "Kettle", 54.90m), await warehouse.GetItemAsync("a"));
        Assert.Equal(7, await warehouse.FindCountAsync("a"));
        Assert.Equal([1, null], (await warehouse.ReadNestedAsync())["a"]);
        Assert.Equal(7, await warehouse.CountOrZeroAsync("a"));
    }

    [Fact]
    public async Task A_nullable_result_is_null_when_there_is_none()
    {
        Assert.Null(await warehouse.FindItemAsync("gone", CancellationToken.None));
        Assert.Null(await warehouse.FindCountAsync("gone"));
        Assert.Null(await warehouse.FindTextAsync("gone"));
        Assert.Null(await warehouse.FindBytesAsync("gone"));
        Assert.Null(await warehouse.FindStreamAsync("gone"));
        Assert.Null(await warehouse.FindNothingAsync());
    }

    [Fact]
    public async Task A_result_that_is_not_nullable_fails_when_there_is_none()
    {
        var missing = await Assert.ThrowsAsync<ServiceCallException>(() => warehouse.GetItemAsync("gone"));
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        var empty = await Assert.ThrowsAsync<ServiceCallException>(warehouse.GetNothingAsync);
        Assert.Equal(
            "warehouse answered 204 to IWarehouse.GetNothingAsync: the answer is no Item: it is empty", empty.Message);
    }

    [Fact]
    public async Task A_failure_is_an_exception_with_the_problems_code()
    {
        var fault = await Assert.ThrowsAsync<ServiceCallException>(() => warehouse.FailAsync(409));

        Assert.Equal(HttpStatusCode.Conflict, fault.StatusCode);
        Assert.Equal("item_sold", fault.Code);
        Assert.Equal("It is sold.", fault.Detail);
        Assert.Equal("warehouse", fault.Service);
        Assert.Equal("IWarehouse.FailAsync", fault.Method);
        Assert.Equal("warehouse answered 409 (item_sold) to IWarehouse.FailAsync: It is sold.", fault.Message);
    }

    [Fact]
    public async Task What_is_no_json_is_an_exception_that_says_so()
    {
        var fault = await Assert.ThrowsAsync<ServiceCallException>(warehouse.GetHtmlAsync);

        Assert.StartsWith(
            "warehouse answered 200 to IWarehouse.GetHtmlAsync: the answer is no Item: ", fault.Message,
            StringComparison.Ordinal);
        Assert.IsType<JsonException>(fault.InnerException);
    }

    [Fact]
    public async Task A_body_is_json_of_known_length()
    {
        var item = new Item("a", "Töpfe", 1.5m, Colour.Green);
        var key = Guid.Parse("01970000-0000-7000-8000-000000000000");

        Assert.Equal(item, await warehouse.AddAsync(item, key, CancellationToken.None));

        var headers = server.Headers.Last();
        Assert.Equal("application/json; charset=utf-8", headers.ContentType);
        Assert.Equal(Encoding.UTF8.GetByteCount(server.Bodies.Last()), headers.ContentLength);
        Assert.Equal(key.ToString(), headers["Idempotency-Key"]);
        await warehouse.ReplaceAsync("a", null);
        Assert.Equal("", server.Bodies.Last());
        using var patch = new StringContent("[]", Encoding.UTF8, "application/json-patch+json");
        Assert.Equal("application/json-patch+json; charset=utf-8", await warehouse.PatchAsync("a", patch));
        using var content = new MemoryStream(new byte[100_000]);
        Assert.Equal("application/octet-stream 100000", await warehouse.UploadAsync(content));
    }

    [Fact]
    public async Task Values_are_written_into_path_and_query_as_text_that_a_server_reads_back()
    {
        await warehouse.RemoveAsync(7, Colour.Green);
        Assert.Equal("DELETE /items/7/Green", server.Requests.Last());
        Assert.Equal("/echo/a", await warehouse.EchoAsync("a"));
        Assert.Equal("/echo/a%20b/%C3%A4?", await warehouse.EchoAsync("a b/ä") + "?");
        Assert.Equal(
            "/echo/a?text=x%26y%3D%20z&n=-3&isOpen=true&since=2026-01-02T03%3A04%3A05.0000000%2B02%3A00"
            + "&tags=a&tags=&tags=b&colours=Red&colours=Green",
            await warehouse.EchoAsync(
                "a", "x&y= z", -3, true, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)),
                ["a", null, "", "b"], [Colour.Red, Colour.Green]));
        await warehouse.EchoAsync("a", tenant: "north");
        Assert.Equal("north", server.Headers.Last()["X-Tenant"]);
        Assert.Equal("/echo/a%3Fc%23d/b", await warehouse.EchoAsync("a?c#d/b"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    public async Task A_segment_that_would_make_another_path_is_refused(string id)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => warehouse.GetItemAsync(id));
        await Assert.ThrowsAsync<ArgumentException>(() => warehouse.EchoAsync($"a/{id}/b"));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_slash_within_a_segment_stays_within_it()
    {
        await warehouse.GetItemAsync("../admin");

        Assert.Equal("GET /items/..%2Fadmin", server.Requests.Last());
    }

    [Fact]
    public async Task A_header_cannot_smuggle_another() =>
        await Assert.ThrowsAsync<FormatException>(() => warehouse.EchoAsync("a", tenant: "north\r\nX-Other: 1"));

    [Fact]
    public async Task Text_bytes_and_streams_come_as_they_are()
    {
        Assert.Equal("text of a", await warehouse.FindTextAsync("a"));
        Assert.Equal("text of a"u8.ToArray(), await warehouse.FindBytesAsync("a"));
        Assert.Equal("text of a"u8.ToArray(), await warehouse.GetBytesAsync("a"));
        await using var opened = await warehouse.OpenAsync("a");
        using var reader = new StreamReader(opened);
        Assert.Equal("text of a", await reader.ReadToEndAsync());
        await using var found = await warehouse.FindStreamAsync("a");
        Assert.NotNull(found);
        await Assert.ThrowsAsync<ServiceCallException>(() => warehouse.OpenAsync("gone"));
    }

    [Fact]
    public async Task The_whole_answer_comes_whatever_its_status()
    {
        using var there = await warehouse.HeadAsync("a");
        using var gone = await warehouse.HeadAsync("gone");

        Assert.Equal(HttpStatusCode.OK, there.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task The_request_carries_the_methods_name_for_policies()
    {
        await warehouse.GetItemAsync("a");

        Assert.Equal(["IWarehouse.GetItemAsync"], names);
    }

    [Fact]
    public async Task A_token_ends_the_call()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => warehouse.FindItemAsync("a", cancelled.Token));
    }

    [Fact]
    public async Task Json_is_written_and_read_as_the_registration_says()
    {
        var collection = new ServiceCollection();
        collection.AddServiceClient<IWarehouse>(new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            TypeInfoResolver = WarehouseJson.Default,
            Converters = { new JsonStringEnumConverter<Colour>() },
        }).ConfigureHttpClient(http => http.BaseAddress = new Uri(server.Address, "/"));
        await using var provider = collection.BuildServiceProvider();

        await provider.GetRequiredService<IWarehouse>().ReplaceAsync("a", new Item("a", "b", 1, Colour.Green));

        Assert.Equal("""{"id":"a","name":"b","price":1,"colour":"Green"}""", server.Bodies.Last());
    }

    [Fact]
    public async Task A_base_address_with_a_path_keeps_it()
    {
        var collection = new ServiceCollection();
        collection.AddServiceClient<IWarehouse>()
            .ConfigureHttpClient(http => http.BaseAddress = new Uri(server.Address, "/echo/v1"));
        await using var provider = collection.BuildServiceProvider();

        await provider.GetRequiredService<IWarehouse>().FindTextAsync("a");

        Assert.Equal("GET /echo/v1/text/a", server.Requests.Last());
    }

    [Fact]
    public async Task A_tests_own_client_needs_the_interfaces_methods_only()
    {
        ICatalogOfTests catalog = new Fake();

        Assert.Equal("fake a", await catalog.NameAsync("a"));
    }

    private sealed class Fake : ICatalogOfTests
    {
        public Task<string> NameAsync(string id) => Task.FromResult($"fake {id}");
    }

    private sealed class NameKeeper(List<string?> names) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            names.Add(request.Options.TryGetValue(GroundworkRequest.Method, out var name) ? name : null);
            return base.SendAsync(request, cancellationToken);
        }
    }
}

/// <summary>An internal interface, of which a test has an implementation of its own.</summary>
[ServiceClient("catalog")]
internal partial interface ICatalogOfTests
{
    [Get("/names/{id}")]
    Task<string> NameAsync(string id);
}

[JsonSerializable(typeof(Item))]
internal sealed partial class WarehouseJson : JsonSerializerContext;
