using System.Text;
using Groundwork.Communication.Gateway.Content.Caching;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Tests.Gateway.Content;

public sealed class AnswerStoreTests
{
    private const int BodyBytes = 10_000;

    private static readonly FieldTable Request = Fields();

    [Fact]
    public void It_never_holds_more_than_it_may()
    {
        var store = new AnswerStore(1_000_000);
        for (var number = 0; number < 1_000; number++)
        {
            store.Put(Key(number), Answer(BodyBytes));
            Assert.InRange(store.Bytes, 1, 1_000_000);
        }
        Assert.InRange(store.Count, 50, 100);
        store.Put(Key(5_000), Answer(900_000)); // Larger than half of it.
        Assert.Null(store.Find(Key(5_000)));
        Assert.Equal(store.Count, store.RemoveWhere(static (_, _) => true));
        Assert.Equal((0L, 0), (store.Bytes, store.Count));
    }

    [Fact]
    public void What_is_asked_for_outlives_a_scan()
    {
        var store = new AnswerStore(1_000_000);
        for (var number = 0; number < 50; number++) Ask(store, number);
        for (var turn = 0; turn < 3; turn++)
            for (var number = 0; number < 50; number++) Ask(store, number);
        for (var number = 1_000; number < 6_000; number++) Ask(store, number); // Each of them once.
        Assert.InRange(Enumerable.Range(0, 50).Count(number => store.Find(Key(number)) is not null), 45, 50);
    }

    [Fact]
    public void The_same_answer_takes_the_place_of_the_one_before()
    {
        var store = new AnswerStore(1_000_000);
        store.Put(Key(1), Answer(100));
        store.Put(Key(1), Answer(200));
        Assert.Equal(1, store.Count);
        Assert.Equal(200, store.Find(Key(1))!.Find(Request)!.Body.Length); // It was put there.
        Assert.Equal(Answer(200).Size, store.Bytes);
    }

    private static void Ask(AnswerStore store, int number)
    {
        if (store.Find(Key(number))?.Find(Request) is null) store.Put(Key(number), Answer(BodyBytes));
    }

    private static CacheKey Key(int number)
    {
        var bytes = Encoding.ASCII.GetBytes($"default/all\nhttp\nlocalhost\n/{number}\n");
        return new CacheKey(bytes, bytes.Length);
    }

    private static StoredAnswer Answer(int bytes)
    {
        var head = new ResponseHead(new HeadLimits(1024, 1024, 10));
        head.Append("HTTP/1.1 200 OK\r\n\r\n"u8);
        Assert.Equal(HeadProgress.Complete, head.Parse());
        return new StoredAnswer
        {
            Head = head,
            Body = new byte[bytes],
            Selection = Selection.Of(head.Fields, [], Request)!, // It varies by nothing.
            Came = DateTimeOffset.UnixEpoch,
            InitialAge = 0,
            Lifetime = 60,
            StaleWhileRevalidate = 0,
            StaleIfError = 0,
            ForbidsStale = false,
            NoCache = false,
            ETag = [],
            LastModified = [],
            Tags = [],
        };
    }

    private static FieldTable Fields()
    {
        var head = new RequestHead(new HeadLimits(1024, 1024, 10));
        head.Append("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        Assert.Equal(HeadProgress.Complete, head.Parse());
        return head.Fields;
    }
}
