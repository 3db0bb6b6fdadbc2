using Groundwork.Kernel.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class SentPathTests
{
    [Theory]
    [InlineData("a", "a")]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("a%2fb", "a/b")]
    [InlineData("a%252Fb", "a%2Fb")]
    [InlineData("a%252fb%2Fc", "a%2fb/c")]
    [InlineData("a%25252Fb", "a%252Fb")]
    [InlineData("a%25b", "a%b")]
    [InlineData("%E4%BD%A0%2F", "你/")]
    [InlineData("a+b%2Fc", "a+b/c")]
    public async Task A_value_of_the_route_is_decoded_once(string sent, string read)
    {
        await using var open = new OpenListeners();
        open.Listeners.Map("api", endpoints => endpoints.MapGroup("/below").MapGet(
            "/{service}/{id}/end",
            (HttpContext context) =>
                $"{SentPath.RouteValue(context, "service")} {SentPath.RouteValue(context, "id")}")
            .AllowsAnyone("a test"));
        await open.Listeners.StartAsync(CancellationToken.None);
        using var answer = await open.SendAsync($"/below/{sent}/x%252F{sent}/end?{sent}");
        Assert.Equal($"{read} x%2F{read}", await answer.Content.ReadAsStringAsync());
    }
}
