#include "tests/unit/peers/peers_fixture.h"

namespace hvagent::peers {
namespace {

class Desk : public PeersTest {
protected:
    Desk() {
        know_there();
        desk.on("greet", [](const HostId& peer, const json& body) {
            return json{{"peer", peer.str()}, {"said", body.value("text", "")}};
        });
        desk.on_heard([this](const HostId& peer) { heard.push_back(peer); });
    }
    json serve(const std::string& token, const HostId& host = there, const std::string& verb = "greet") {
        return desk.serve("Peer " + host.str() + " " + token, "10.0.0.2", verb, {{"text", "hello"}});
    }
    Error refusal(const std::string& token, const HostId& host = there, const std::string& verb = "greet") {
        return thrown_error([&] { serve(token, host, verb); });
    }

    PeerDesk desk{inventory, clock};
    std::vector<HostId> heard;
};

TEST_F(Desk, AnswersWhoShowsTheTokenThatWasAgreedOn) {
    const json answer = serve(token_in);
    EXPECT_EQ(answer["peer"], there.str());
    EXPECT_EQ(answer["said"], "hello");
    EXPECT_EQ(heard, std::vector<HostId>{there});
}

TEST_F(Desk, RefusesOtherTokensWithoutTellingWhatWasWrong) {
    const Error wrong = refusal(token_out);
    EXPECT_EQ(wrong.code(), Code::authentication_failed);
    EXPECT_THAT(wrong.details(), Not(HasSubstr(token_out)));
    EXPECT_EQ(refusal(token_in, here).details(), wrong.details());  // a host that is no peer
    EXPECT_EQ(refusal("").details(), wrong.details());
    EXPECT_TRUE(heard.empty());
}

TEST_F(Desk, RefusesTheHashThatIsStored) {
    EXPECT_EQ(refusal(inventory.get<Peer>(there).token_in_hash).code(), Code::authentication_failed);
}

TEST_F(Desk, RefusesWhatIsNoPeersHeader) {
    for (const char* header : {"", "Peer", "Peer x", "OAuth 5f1d0b8c2a3e4d5f8a9b0c1d2e3f4a5b"})
        EXPECT_EQ(thrown_error([&] { desk.serve(header, "10.0.0.2", "greet", {}); }).code(), Code::bad_request) << header;
}

TEST_F(Desk, ManyWrongTokensAreRefusedUnreadAndARightOneIsStillTaken) {
    Code last = Code::internal;
    for (int i = 0; i < 10; ++i) last = refusal(new_token()).code();
    EXPECT_EQ(last, Code::login_refused);
    EXPECT_EQ(serve(token_in)["peer"], there.str());
    EXPECT_EQ(refusal(new_token()).code(), Code::authentication_failed);  // the count began anew
}

TEST_F(Desk, AVerbThatNobodyAnswersIsNoPath) {
    EXPECT_EQ(refusal(token_in, there, "dance").code(), Code::no_such_path);
}

TEST_F(Desk, TheFormerTokenIsGoodUntilTheNewOneCame) {
    const std::string newer = new_token();
    remember_peer(inventory, host_there(), url_there, token_out, newer);
    EXPECT_NO_THROW(serve(token_in));
    EXPECT_NO_THROW(serve(newer));
    EXPECT_EQ(refusal(token_in).code(), Code::authentication_failed);
}

TEST_F(Desk, AForgottenPeerIsRefused) {
    forget_peer(inventory, there);
    EXPECT_EQ(refusal(token_in).code(), Code::authentication_failed);
    EXPECT_FALSE(inventory.find<Host>(there));
}

TEST_F(Desk, AVerbHasOneAnswer) {
    EXPECT_EQ(thrown_error([&] { desk.on("greet", {}); }).code(), Code::internal);
}

}  // namespace
}  // namespace hvagent::peers
