using System.Diagnostics;
using System.Net;
using Groundwork.Client.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Client.Tests.Calls;

public sealed class FallbackTests
{
    [Fact]
    public async Task A_fixed_answer_takes_the_place_of_a_fault_and_says_so()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Fallback:Status", "203"), ("Fallback:Body", "[]"), ("Fallback:ContentType", "application/vnd.shop+json"));
        calling.Instead = CallingHost.Abort;
        using var span = new Activity("caller").Start();

        using var answer = await calling.Http.GetAsync("http://catalog/");

        Assert.Equal((HttpStatusCode)203, answer.StatusCode);
        Assert.Equal("[]", await answer.Content.ReadAsStringAsync());
        Assert.Equal("application/vnd.shop+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("fallback", answer.Headers.GetValues(HeaderNames.Degraded).Single());
        Assert.Equal("fallback", span.GetTagItem("groundwork.degraded"));
        Assert.True(calling.Host.Log.Has("Warning: A call of catalog is answered by its fallback: upstream_failed"));
        await calling.NothingIsUnderWayAsync();
    }

    [Fact]
    public async Task An_answer_that_says_that_the_service_failed_is_a_fault_and_one_that_refuses_is_not()
    {
        await using var calling = await CallingHost.StartAsync(("Fallback:Body", "{}"));
        calling.Instead = context => CallingHost.Status(context, 500);
        using (var answer = await calling.Http.GetAsync("http://catalog/"))
            Assert.Equal("{}", await answer.Content.ReadAsStringAsync());

        calling.Instead = context => CallingHost.Status(context, 404);
        using (var answer = await calling.Http.GetAsync("http://catalog/"))
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        await calling.NothingIsUnderWayAsync();
    }

    [Fact]
    public async Task Another_service_answers_and_has_no_fallback_of_its_own()
    {
        await using var calling = await CallingHost.StartAsync(
            ("Fallback:Service", "archive"), ("/Groundwork:Calls:archive:Fallback:Service", "catalog"));
        await using var archive = await ServiceStub.StartAsync();
        calling.Platform.PublishService(calling.Platform.Service("archive", 3, archive.Port));
        calling.Instead = CallingHost.Abort;

        using (var answer = await calling.Http.GetAsync("http://catalog/products?page=2"))
        {
            Assert.Equal($"{archive.Port}", await answer.Content.ReadAsStringAsync());
            Assert.Equal("fallback", answer.Headers.GetValues(HeaderNames.Degraded).Single());
        }
        Assert.Equal("/products", Assert.Single(archive.Requests).Path);

        archive.Instead = CallingHost.Abort;
        var fault = await Assert.ThrowsAsync<GroundworkCallException>(() => calling.Http.GetAsync("http://catalog/"));
        Assert.Equal("catalog", fault.Service);
    }

    [Fact]
    public async Task What_may_have_had_its_effect_is_not_sent_to_another_service()
    {
        await using var calling = await CallingHost.StartAsync(("Fallback:Service", "archive"));
        await using var archive = await ServiceStub.StartAsync();
        calling.Platform.PublishService(calling.Platform.Service("archive", 3, archive.Port));
        calling.Instead = CallingHost.Abort;

        await Assert.ThrowsAsync<GroundworkCallException>(
            () => calling.Http.PostAsync("http://catalog/", new StringContent("an order")));

        Assert.Empty(archive.Requests);
    }

    [Fact]
    public async Task Failsafe_answers_empty_and_failfast_tries_once()
    {
        await using var calling = await CallingHost.StartAsync(("Strategy", "failsafe"));
        calling.Instead = CallingHost.Abort;

        using (var answer = await calling.Http.PostAsync("http://catalog/", new StringContent("a line of a log")))
        {
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
            Assert.Equal("failsafe", answer.Headers.GetValues(HeaderNames.Degraded).Single());
        }

        calling.Change(("Strategy", "failfast"));
        var before = calling.Requests;
        await Assert.ThrowsAsync<GroundworkCallException>(() => calling.Http.GetAsync("http://catalog/"));
        Assert.Equal(before + 1, calling.Requests);
        await calling.NothingIsUnderWayAsync();
    }

    [Fact]
    public async Task A_caller_that_cancels_gets_no_answer_in_its_place()
    {
        await using var calling = await CallingHost.StartAsync(("Strategy", "failsafe"), ("Fallback:Body", "{}"));
        using var cancel = new CancellationTokenSource();
        calling.Instead = async context =>
        {
            await cancel.CancelAsync();
            await CallingHost.Hang(context);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => calling.Http.GetAsync("http://catalog/", cancel.Token));
    }
}
