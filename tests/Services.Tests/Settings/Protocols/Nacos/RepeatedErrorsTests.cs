using System.Net;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Protocols.Nacos;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Tests.Settings.Protocols.Nacos;

public sealed class RepeatedErrorsTests
{
    private readonly ManualTimeProvider time = new(DateTimeOffset.UnixEpoch);

    [Fact]
    public void The_same_call_is_known_until_it_has_not_failed_for_a_while()
    {
        var errors = new RepeatedErrors(time);
        Assert.False(errors.Note(Call()));
        Assert.True(errors.Note(Call()));
        // However long it goes on.
        for (var round = 0; round < 5; round++)
        {
            time.Advance(NacosConfigLimits.ErrorDelay + NacosConfigLimits.ErrorSpread);
            Assert.True(errors.Note(Call(query: $"?dataId={round}")));
        }
        time.Advance(NacosConfigLimits.ErrorMemory);
        Assert.False(errors.Note(Call()));
    }

    [Fact]
    public void Another_caller_address_method_or_path_is_another_call()
    {
        var errors = new RepeatedErrors(time);
        HttpContext[] calls =
        [
            Call(), Call(caller: "a"), Call(caller: "b"), Call(address: "10.0.0.2"), Call(method: "POST"),
            Call(path: "/nacos/v1/cs/history"),
        ];
        // Two that share a place are taken for one, once in many thousand times.
        Assert.InRange(calls.Count(call => !errors.Note(call)), calls.Length - 1, calls.Length);
        Assert.True(errors.Note(Call(path: "/NACOS/v1/cs/configs")));
    }

    private static DefaultHttpContext Call(
        string? caller = null, string address = "10.0.0.1", string method = "GET",
        string path = "/nacos/v1/cs/configs", string query = "")
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        context.Request.Method = method;
        context.Request.Path = path;
        context.Request.QueryString = new QueryString(query);
        if (caller is not null) context.Features.Set(new Principal(caller, []));
        return context;
    }
}
