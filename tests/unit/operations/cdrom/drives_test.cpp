#include "tests/unit/operations/cdrom/cdrom_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;

class NewDrives : public CdRoms {
protected:
    using Texts = std::vector<std::string>;
    VmId make(const std::vector<std::string>& texts, json more = json::object()) {
        more["strategy"] = "JustCreate";
        more.update(tags(texts));
        return create_vm(more);
    }
    std::vector<std::string> isos(const VmId& vm) {
        std::vector<std::string> found;
        for (const VmCdRom& drive : drives(vm)) found.push_back(drive.iso.str());
        return found;
    }
    std::string why(const std::vector<std::string>& texts, json more = json::object()) {
        more.update(tags(texts));
        return failure_of("CreateVmInstance", vm_request(more)).details();
    }
};

TEST_F(NewDrives, AreAsManyAsTheTagNames) {
    const std::string iso = add_iso();
    EXPECT_EQ(isos(make({})), (Texts{""}));
    EXPECT_EQ(isos(make({"cdroms::Empty::" + iso + "::empty"})), (Texts{"", iso, ""}));
    EXPECT_EQ(isos(make({"cdroms::" + iso + "::None::None"})), (Texts{iso}));
    EXPECT_EQ(isos(make({"cdroms::None::None::None"})), Texts{});
    EXPECT_EQ(isos(make({"iso::" + iso + "::1"})), (Texts{"", iso}));
    EXPECT_EQ(isos(make({"createWithoutCdRom::true"})), Texts{});
}

TEST_F(NewDrives, TagsAboutTheCreationAreNotKept) {
    const VmId vm = make({"cdroms::Empty", "hostname::web"});
    const auto kept = inventory.tags_of(vm.str(), "System");
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].tag, "hostname::web");
}

TEST_F(NewDrives, HoldTheirIsosAtTheFirstStart) {
    const std::string iso = add_iso();
    const VmId vm = create_vm(tags({"cdroms::Empty::" + iso}));
    EXPECT_EQ(live_media(vm)[0], "");
    EXPECT_THAT(live_media(vm)[1], HasSubstr(iso));
}

TEST_F(NewDrives, TheIsoAVmIsMadeFromIsInTheFirstEmptyOne) {
    const std::string other = add_iso();
    image = add_iso();
    EXPECT_EQ(isos(make({"cdroms::" + other + "::Empty"}, {{"rootDiskSize", GiB}})), (Texts{other, image}));
    EXPECT_EQ(isos(make({"createWithoutCdRom::true"}, {{"rootDiskSize", GiB}})), (Texts{image}));
    EXPECT_THAT(why({"cdroms::" + other}, {{"rootDiskSize", GiB}}), HasSubstr("no drive is left"));
}

TEST_F(NewDrives, AreRefusedWhereTheTagsMakeNoSense) {
    const std::string iso = add_iso();
    EXPECT_THAT(why({"cdroms::a"}), HasSubstr("must have the form cdroms::"));
    EXPECT_THAT(why({"cdroms::Empty::Empty::Empty::Empty"}), HasSubstr("must have the form cdroms::"));
    EXPECT_THAT(why({"cdroms::" + make_uuid()}), HasSubstr("Image"));
    EXPECT_THAT(why({"cdroms::" + image}), HasSubstr("not an ISO"));
    EXPECT_THAT(why({"cdroms::" + iso + "::" + iso}), HasSubstr("two drives"));
    EXPECT_THAT(why({"cdroms::" + iso + "::Empty", "cdroms::Empty::Empty"}), HasSubstr("stands twice"));
    EXPECT_THAT(why({"iso::" + iso + "::3"}), HasSubstr("must have the form iso::"));
    EXPECT_THAT(why({"cdroms::Empty", "createWithoutCdRom::true"}), HasSubstr("contradicts"));
    EXPECT_THAT(why({"cdromUuid::" + iso}), HasSubstr("cdromUuid"));
    EXPECT_EQ(inventory.count<Vm>(), 0);
}

}  // namespace
}  // namespace hvagent::operations
